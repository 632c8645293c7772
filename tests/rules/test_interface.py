"""Every view for programs, whoever adds it, keeps the rules of the interface."""

import ast
from pathlib import Path

import pytest
from django.urls import get_resolver
from rest_framework.permissions import SAFE_METHODS

from privacy.interface.areas import Area, TokenScope, scopes_for
from privacy.interface.serializers import StrictSerializer
from privacy.interface.views import OwnView, PublicView
from privacy.vault.fields import SealedField
from privacy.vault.records import PersonalRecord
from tests.rules.test_architecture import sources

ROOT = Path(__file__).resolve().parent.parent.parent


def views() -> list[type[PublicView]]:
    resolver = next(pattern for pattern in get_resolver().url_patterns if getattr(pattern, "namespace", "") == "api")
    return [pattern.callback.cls for pattern in resolver.url_patterns if hasattr(pattern.callback, "cls")]


VIEWS = views()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_a_view_says_whose_it_is_and_what_it_takes_and_gives(view):
    methods = {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"HEAD"}

    assert issubclass(view, PublicView)
    assert (view.area is not None) == issubclass(view, OwnView)
    assert set(view.takes) <= methods
    assert view.schema is None or view.streams or set(view.gives) == methods
    assert view.schema is None or not {"authentication_classes", "permission_classes", "throttle_classes", "pagination_class"} & set(
        vars(view)
    )
    assert view.area is None or view.asks_password <= methods - set(SAFE_METHODS)


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_what_a_view_takes_and_gives_is_strict(view):
    serializers = [*view.takes.values(), *filter(None, view.gives.values()), *filter(None, [view.query])]

    assert all(issubclass(serializer, StrictSerializer) for serializer in serializers)


@pytest.mark.parametrize("view", [view for view in VIEWS if view.area], ids=lambda view: view.__name__)
def test_a_token_can_be_made_for_every_call_that_asks_for_no_password(view):
    for method in view.gives:
        if method not in view.asks_password:
            assert scopes_for(view.area, is_safe=method in SAFE_METHODS) & set(TokenScope.values), method


def test_each_scope_belongs_to_an_area():
    assert {scope.partition(":")[0] for scope in TokenScope.values} == set(Area.values)


@pytest.mark.promise("PROTECT-4")
def test_no_serializer_is_made_from_a_personal_model():
    """The framework's serializers of models print what a column holds."""
    from django.apps import apps

    personal = {model.__name__ for model in apps.get_models() if issubclass(model, PersonalRecord)}
    made = {
        f"{module}: {node.name}"
        for module, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("ModelSerializer" in ast.unparse(base) for base in node.bases)
        if any(isinstance(part, ast.Name) and part.id in personal for part in ast.walk(node))
    }

    assert personal
    assert made == set()


@pytest.mark.promise("PROTECT-4")
def test_the_framework_knows_no_other_way_to_print_a_sealed_field():
    from rest_framework.serializers import ModelSerializer
    from rest_framework.utils.field_mapping import ClassLookupDict

    field_class = ClassLookupDict(ModelSerializer.serializer_field_mapping)[SealedField()]

    assert field_class.__name__ == "_RefusedField"
