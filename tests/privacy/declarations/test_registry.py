"""An undeclared field, an undescribed table or a record without an end stops the start."""

import pytest
from django.apps.registry import Apps
from django.core import checks
from django.db import models

from privacy.declarations import registry
from privacy.declarations.categories import Category
from privacy.declarations.third_party import OUR_APPS, THIRD_PARTY_TABLES
from privacy.vault.fields import SealedField, personal

pytestmark = pytest.mark.promise("COLLECT-1")


def findings(monkeypatch, *models_shown):
    """What the check says in a project that has just these models."""

    class ProjectApps:
        @staticmethod
        def get_models(**options):
            return list(models_shown)

    monkeypatch.setattr(registry, "apps", ProjectApps)
    return [message.id for message in registry.check_declarations(None)]


def model(**attributes):
    """A throwaway model in a registry of its own."""
    label = attributes.pop("app_label", "orders")
    meta = type("Meta", (), {"apps": Apps(), "app_label": label})
    return type("Thing", (attributes.pop("base", models.Model),), {"__module__": __name__, "Meta": meta, **attributes})


def test_an_undeclared_field_is_an_error(monkeypatch):
    thing = model(nickname=models.CharField(max_length=10), not_personal={})

    assert findings(monkeypatch, thing) == [registry.UNDECLARED]


def test_a_model_without_any_declaration_is_an_error(monkeypatch):
    assert findings(monkeypatch, model(nickname=models.CharField(max_length=10))) == [registry.UNDECLARED]


def test_a_declared_field_is_fine(monkeypatch):
    thing = model(color=models.CharField(max_length=10), not_personal={"color": "of the product"})

    assert findings(monkeypatch, thing) == []


def test_a_declaration_of_a_field_that_is_gone_is_an_error(monkeypatch):
    thing = model(not_personal={"color": "of the product"})

    assert findings(monkeypatch, thing) == [registry.STALE]


def test_a_sealed_field_that_is_also_declared_harmless_is_an_error(monkeypatch):
    thing = model(name=personal(models.CharField(max_length=10), Category.ACCOUNT), not_personal={"name": "no"}, lifetime=object())

    assert findings(monkeypatch, thing) == [registry.STALE]


def test_a_sealed_field_without_a_lifetime_is_an_error(monkeypatch):
    thing = model(name=personal(models.CharField(max_length=10), Category.ACCOUNT), not_personal={})

    assert findings(monkeypatch, thing) == [registry.NO_LIFETIME]


def test_a_third_party_table_that_nobody_described_is_an_error(monkeypatch):
    assert findings(monkeypatch, model(app_label="newsletter", not_personal={})) == [registry.UNKNOWN_TABLE]


def test_the_project_itself_has_no_finding():
    assert registry.check_declarations(None) == []


def test_the_check_runs_with_djangos_own():
    assert registry.check_declarations in checks.registry.registry.get_checks()


def test_every_model_of_ours_gives_a_reason_for_every_clear_field():
    for thing in registry.our_models():
        assert registry.undeclared_fields(thing) == [], thing
        assert all(reason.strip() for reason in getattr(thing, "not_personal", {}).values()), thing


def test_no_third_party_table_is_described_as_ours():
    assert not [label for label in THIRD_PARTY_TABLES if label.partition(".")[0] in OUR_APPS]


@pytest.mark.promise("COLLECT-1")
def test_nobody_is_asked_for_title_gender_birth_or_documents():
    forbidden = {
        "title",
        "salutation",
        "gender",
        "sex",
        "birthday",
        "birth_date",
        "date_of_birth",
        "ip",
        "ip_address",
        "user_agent",
        "card_number",
        "pan",
        "cvv",
        "passport",
    }

    for thing in registry.our_models():
        found = {field.name for field in thing._meta.concrete_fields if isinstance(field, SealedField) or hasattr(thing, "lifetime")}
        assert found.isdisjoint(forbidden), thing


def test_the_data_map_names_every_field_once():
    lines = [(line.model, line.name) for line in registry.data_map()]

    assert len(lines) == len(set(lines))
    assert {line.model for line in registry.data_map()} == set(registry.our_models())
