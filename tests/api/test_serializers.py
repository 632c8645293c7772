"""No serializer prints a token, and none takes what it did not ask for."""

import json

import pytest
from rest_framework import serializers

from marketplace.api.renderers import JSONRenderer
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.interface.serializers import OpenedField, StrictSerializer, Text
from privacy.retention.walker import record_models
from privacy.vault.errors import SealedValueMisused
from privacy.vault.fields import sealed_fields
from tests.privacy.vault.fixtures import write_token

pytestmark = pytest.mark.django_db


@pytest.mark.promise("PROTECT-4")
@pytest.mark.parametrize("model_class", [*filter(sealed_fields, record_models())], ids=lambda model: model._meta.label)
def test_the_frameworks_own_serializer_of_sealed_values_is_refused(model_class):
    class Plain(serializers.ModelSerializer):
        class Meta:
            model = model_class
            fields = "__all__"

    with pytest.raises(SealedValueMisused, match=model_class._meta.label_lower):
        Plain().fields  # noqa: B018


@pytest.mark.promise("PROTECT-4")
def test_a_sealed_value_anywhere_in_an_answer_is_its_mask(person):
    details = person.user.details

    shown = json.loads(JSONRenderer().render({"name": details.name, "deep": [{"email": details.email}]}))

    assert shown == {"name": "••••• •••••", "deep": [{"email": "•••••@•••••"}]}


@pytest.mark.promise("PROTECT-4")
def test_an_opened_field_without_a_grant_fails(person):
    class Shown(StrictSerializer):
        name = OpenedField()

    with pytest.raises(KeyError):
        Shown(person.user.details).data  # noqa: B018


def test_an_opened_field_is_for_sealed_values_alone():
    class Shown(StrictSerializer):
        name = OpenedField()

    with pytest.raises(SealedValueMisused, match="name is not sealed"):
        Shown({"name": "clear"}, context={"grant": None}).data  # noqa: B018


def test_an_opened_field_cannot_be_written():
    class Given(StrictSerializer):
        name = OpenedField()

    assert not Given(data={"name": "x"}).is_valid()


@pytest.mark.promise("PROTECT-4")
def test_an_opened_field_shows_nothing_of_a_value_that_cannot_be_read(person):
    class Shown(StrictSerializer):
        name = OpenedField()
        email = OpenedField()

    details = person.user.details
    with unit_of_work(), open_access(by=person.actor, purpose=Purpose.RIGHTS, subject=person.subject) as grant:
        damaged = type(details).objects.get(pk=details.pk)
        write_token(damaged, "name", damaged.name.token[:-1] + b"\0")
        damaged.refresh_from_db()
        shown = Shown(damaged, context={"grant": grant}).data

    assert shown == {"name": None, "email": person.email}


@pytest.mark.promise("COLLECT-3")
def test_an_unknown_field_is_an_error_that_names_what_is_known():
    class Given(StrictSerializer):
        name = Text()
        at = serializers.DateTimeField(read_only=True)

    serializer = Given(data={"name": "x", "at": "2026-01-01", "Kanarka": "Kanarka"})

    assert not serializer.is_valid()
    error = serializer.errors["non_field_errors"][0]
    assert (str(error), error.code) == ("name", "unknown_field")


@pytest.mark.parametrize("value", [7, 1.5, True, None, [], {}])
def test_text_is_text(value):
    class Given(StrictSerializer):
        name = Text()

    assert not Given(data={"name": value}).is_valid()
