"""A mask can never become a value: what comes back untouched changes nothing, what was typed into is refused."""

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.forms import modelform_factory
from rest_framework.exceptions import ValidationError as CallInvalid

from privacy.access.forms import StrictForm
from privacy.declarations import masks
from privacy.declarations.categories import Category
from privacy.interface.serializers import StrictSerializer, Text
from privacy.vault.errors import SealedValueMisused
from privacy.vault.fields import personal
from tests.privacy.vault.fixtures import stored_token
from tests.privacy.vault.records import Note

pytestmark = pytest.mark.promise("PROTECT-4")
FIELDS = ["name", "email", "street", "body"]
PLAIN = [
    models.CharField(max_length=3),
    models.CharField(max_length=40, validators=[RegexValidator(r"^[a-z]+$")]),
    models.EmailField(),
    models.TextField(blank=True),
]


def typed_into(mask):
    """What is left of a mask after a letter was added, put over a dot, or a dot was taken away."""
    return [mask + "x", "x" + mask, mask.replace("•", "x", 1), mask[:-1], mask[:-2] + "x", mask[1:], f" {mask} x"]


@pytest.mark.parametrize("plain", PLAIN, ids=lambda field: type(field).__name__)
@pytest.mark.parametrize("mask", sorted(masks.ALL))
def test_a_forms_field_takes_its_mask_as_it_is_and_refuses_what_is_left_of_one(plain, mask):
    field = personal(plain.clone(), Category.ACCOUNT, mask=mask).formfield()

    assert field.clean(mask) == mask
    for text in typed_into(mask):
        with pytest.raises(ValidationError) as refusal:
            field.clean(text)
        assert refusal.value.code == "mask"
        assert mask not in str(refusal.value)


@pytest.mark.parametrize("mask", sorted(masks.ALL))
def test_a_mask_is_no_text_to_a_form_or_a_call(mask):
    class Given(StrictForm):
        name = forms.CharField()

    class Called(StrictSerializer):
        name = Text()

    form = Given({"name": mask})

    assert form.errors["name"].as_data()[0].code == "mask"
    with pytest.raises(CallInvalid):
        Called(data={"name": mask}).is_valid(raise_exception=True)


@pytest.fixture
def filled(note):
    """What a browser sends of the note's form that nobody touched, and the form."""
    kind = modelform_factory(Note, fields=FIELDS)
    shown = kind(instance=note)
    return kind, {name: shown[name].value() for name in FIELDS}


def test_a_form_that_nobody_touched_has_not_changed_and_writes_nothing(note, filled):
    """Not even a purpose is asked for: nothing of it is a write."""
    kind, data = filled
    before = {name: stored_token(note, name) for name in FIELDS}
    form = kind(data, instance=note)

    assert form.is_valid(), form.errors
    assert form.changed_data == []
    form.save()
    assert {name: stored_token(note, name) for name in FIELDS} == before


@pytest.mark.parametrize("field", FIELDS)
def test_a_letter_typed_into_a_mask_is_an_error_of_the_field_that_loses_nothing(note, own, filled, field):
    kind, data = filled
    before = stored_token(note, field)
    for text in typed_into(data[field]):
        form = kind(data | {field: text}, instance=Note.objects.get(pk=note.pk))

        assert form.errors.as_data()[field][0].code == "mask"
        assert form[field].value() == text
    assert stored_token(note, field) == before


@pytest.mark.parametrize("field", FIELDS)
def test_a_program_cannot_write_one_either(note, own, field):
    mask = str(getattr(note, field))
    with pytest.raises(SealedValueMisused, match=rf"privacy\.note\.{field}"):
        setattr(note, field, mask)

    setattr(note, field, f"{mask}x")
    with pytest.raises(ValidationError) as refusal:
        note.full_clean()

    assert set(refusal.value.message_dict) == {field}


def test_a_new_record_cannot_be_made_of_masks(subject, work):
    kind = modelform_factory(Note, fields=["name"])
    form = kind({"name": masks.name}, instance=Note(subject=subject))

    assert set(form.errors) == {"name"}
