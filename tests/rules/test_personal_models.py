"""Personal tables are made for the wall: subject first, and nothing that is unique across people."""

import re
import unicodedata
from pathlib import Path

import pytest
from django.db import connection, models

from privacy.declarations import masks
from privacy.declarations.categories import Category
from privacy.declarations.registry import our_models, personal_models
from privacy.vault.fields import SealedField, sealed_fields
from privacy.vault.records import PersonalRecord

ROOT = Path(__file__).resolve().parent.parent.parent
PERSONAL = personal_models()


def first_of(index):
    """The first column of an index, whichever way it was declared."""
    if index.fields:
        return index.fields[0].removeprefix("-")
    expression = index.expressions[0]
    return getattr(expression, "name", None) or expression.source_expressions[0].name


def test_there_are_personal_models():
    assert len(PERSONAL) > 5
    assert all(issubclass(model, PersonalRecord) for model in PERSONAL)


@pytest.mark.promise("PROTECT-2")
@pytest.mark.parametrize("model", PERSONAL, ids=lambda model: model._meta.label)
def test_every_index_starts_with_the_subject(model):
    unique = [constraint for constraint in model._meta.constraints if isinstance(constraint, models.UniqueConstraint)]
    indexes = [first_of(index) for index in (*model._meta.indexes, *unique)]

    assert indexes, "a personal table is found by its subject"
    assert set(indexes) == {"subject"}


@pytest.mark.promise("PROTECT-2")
@pytest.mark.parametrize("model", PERSONAL, ids=lambda model: model._meta.label)
def test_plain_foreign_keys_have_no_index_of_their_own(model):
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and not field.unique:
            assert not field.db_index, field


@pytest.mark.promise("PROTECT-2")
@pytest.mark.django_db
@pytest.mark.parametrize("model", PERSONAL, ids=lambda model: model._meta.label)
def test_the_table_has_an_index_that_starts_with_the_subject(model):
    with connection.cursor() as cursor:
        indexes = indexed_columns(cursor, model)

    assert "subject_id" in {columns[0] for columns in indexes}


def indexed_columns(cursor, model):
    """The columns of each index, unique ones and the primary key included."""
    found = connection.introspection.get_constraints(cursor, model._meta.db_table).values()
    return [about["columns"] for about in found if about["columns"] and (about["index"] or about["unique"] or about["primary_key"])]


@pytest.mark.promise("PROTECT-1")
@pytest.mark.django_db
@pytest.mark.parametrize("model", PERSONAL, ids=lambda model: model._meta.label)
def test_every_sealed_column_is_bytes_without_an_index(model):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s",
            [model._meta.db_table],
        )
        types = dict(cursor.fetchall())
        indexed = {column for columns in indexed_columns(cursor, model) for column in columns}

    for field in sealed_fields(model):
        assert types[field.column] == "bytea"
        assert field.column not in indexed


@pytest.mark.promise("COLLECT-2")
@pytest.mark.parametrize("model", PERSONAL, ids=lambda model: model._meta.label)
def test_every_sealed_field_has_one_category_and_words_for_the_person(model):
    for field in sealed_fields(model):
        assert field.category in Category
        assert str(field.verbose_name).strip()


KINDS = {
    masks.name: {"name", "addressee", "payer"},
    masks.email: {"email"},
    masks.address: {"address", "line1", "line2", "district", "locality", "region", "postcode"},
    masks.reference: {"label", "tracking_number", "label_reference"},
}
NAMES_OF_FILES = {"privacy.ticketattachment.name"}


@pytest.mark.promise("PROTECT-4")
@pytest.mark.parametrize("model", PERSONAL, ids=lambda model: model._meta.label)
def test_every_sealed_field_shows_the_mask_of_its_kind(model):
    """What is of no kind shows the mask of free text: a new field that is one of these says so in its name."""
    for field in sealed_fields(model):
        kind = next((mask for mask, names in KINDS.items() if field.name in names and field.path not in NAMES_OF_FILES), masks.text)
        assert field.mask == kind, field.path


@pytest.mark.promise("PROTECT-4")
@pytest.mark.parametrize("mask", sorted(masks.ALL))
def test_a_mask_holds_no_letter_or_digit_and_no_sign_that_turns_the_line(mask):
    assert not any(character.isalnum() or unicodedata.bidirectional(character) in ("R", "AL", "RLE", "RLO", "RLI") for character in mask)
    assert masks.is_left_in(mask)


def test_masks_stand_on_pages_by_the_one_component_that_is_also_read_out():
    shown = [path for path in (ROOT / "templates").rglob("*.html") if re.search(r'class="[^"]*\bmask\b', path.read_text())]

    assert [path.name for path in shown] == ["mask.html"]


@pytest.mark.promise("COLLECT-6")
@pytest.mark.parametrize("model", PERSONAL, ids=lambda model: model._meta.label)
def test_every_personal_record_says_why_and_until_when(model):
    from privacy.declarations.purposes import PURPOSES

    assert model.lifetime.purposes
    for field in sealed_fields(model):
        assert any(field.category in PURPOSES[purpose].categories for purpose in model.lifetime.purposes), field


@pytest.mark.promise("PROTECT-1")
def test_sealed_fields_stand_in_personal_records_alone():
    for model in our_models():
        if any(isinstance(field, SealedField) for field in model._meta.concrete_fields):
            assert issubclass(model, PersonalRecord), model


@pytest.mark.parametrize("model", PERSONAL, ids=lambda model: model._meta.label)
def test_every_personal_model_says_what_it_holds_and_when_it_goes(model):
    assert "estroyed" in (model.__doc__ or "")
