"""Every address that answers a GET is a page of the table, or in its short list of what is none."""

from collections.abc import Callable, Iterator
from inspect import getclosurevars, unwrap
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tests.pages.table import NO_PAGES, PAGES, TESTED_ELSEWHERE, Who


def patterns(resolver: Any, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace)
        else:
            yield f"{namespace}{entry.name}", entry


def answers_get(view: Callable[..., Any]) -> bool:
    """Unless one of its decorators, or its class, names other methods alone."""
    if view_class := getattr(view, "view_class", None):
        return hasattr(view_class, "get")
    layers = []
    unwrap(view, stop=lambda layer: layers.append(layer) is not None)
    allowed = [getclosurevars(layer).nonlocals.get("request_method_list", ["GET"]) for layer in layers]
    return all("GET" in methods for methods in allowed)


def test_every_address_is_in_the_table_or_in_the_list_of_what_is_no_page():
    addresses = {name for name, pattern in patterns(get_resolver()) if answers_get(pattern.callback)}
    elsewhere = {name for name in addresses if name.startswith(tuple(TESTED_ELSEWHERE))}
    listed = {page.name for page in PAGES}

    assert addresses - listed - NO_PAGES.keys() - elsewhere == set(), "add them to tests/pages/table.py"
    assert (listed | NO_PAGES.keys()) - addresses == set(), "there are no such addresses"
    assert listed & NO_PAGES.keys() == set()


def test_the_rule_sees_methods():
    found = {name: answers_get(pattern.callback) for name, pattern in patterns(get_resolver())}

    assert not found["orders:payment-webhook"]
    assert not found["accounts:sign-out"]
    assert found["orders:detail"]
    assert found["admin:orders_order_change"]


def test_every_row_says_what_everybody_gets_and_is_there_once():
    assert all(set(page.audience) == set(Who) for page in PAGES)
    assert len({str(page) for page in PAGES}) == len(PAGES)
