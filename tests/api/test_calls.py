"""Each call of the table: by its owner, by a program with and without the scope, by everybody else, and in wrong forms."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.urls import get_resolver, resolve, reverse
from django.utils import timezone

from audit.models import Entry
from marketplace.accounts.models import ApiToken
from privacy.interface.areas import TokenScope
from privacy.policy.roles import STAFF_ROLES
from tests.accounts.people import make_staff
from tests.api.calls import CALLS, HERS, PUBLIC
from tests.api.people import Caller, Form, anybody
from tests.orders.conftest import partners  # noqa: F401  the agreements that an order needs
from tests.pages.world import signed_in_staff

pytestmark = pytest.mark.django_db

PRIVATE = [call for call in CALLS if call.kind != PUBLIC]
SCOPED = [call for call in PRIVATE if call.scope]
BODIES = [call for call in CALLS if call.method in ("POST", "PUT", "PATCH")]
PROBLEM = "application/problem+json"


def patterns():
    resolver = next(pattern for pattern in get_resolver().url_patterns if getattr(pattern, "namespace", "") == "api")
    return {pattern.name: pattern.callback for pattern in resolver.url_patterns}


def assert_problem(response, status):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    body = response.json()
    assert body["status"] == status
    assert body["instance"].startswith("urn:uuid:")


def test_the_table_names_every_call():
    known = {(call.name, call.method) for call in CALLS}
    there = {
        (name, method)
        for name, callback in patterns().items()
        if hasattr(callback, "cls") and name != "nothing"
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if hasattr(callback.cls, method.lower())
    }

    assert known == there
    assert len(CALLS) == len(known)


def test_a_call_about_somebodys_row_is_known_as_such():
    nobodys = {"slug", "category", "purpose", "promise", "number", "old", "new"}
    rows = {name for name in patterns() if parameters(name) - nobodys}

    assert rows <= {call.name for call in CALLS if call.kind == HERS} | {"nothing"}


def parameters(name):
    resolver = next(pattern for pattern in get_resolver().url_patterns if getattr(pattern, "namespace", "") == "api")
    return set(next(pattern for pattern in resolver.url_patterns if pattern.name == name).pattern.converters)


@pytest.mark.promise("RIGHTS-6")
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_call_works_with_a_token_of_its_scope_alone_or_in_a_browser(person, call):
    path, body = call.prepared(person)
    caller = person.program([call.scope]) if call.scope else person.browser()
    before = Entry.objects.filter(event=call.leaves).count()

    response = caller.call(call.method, path, body)

    assert response.status_code == call.status, response.content
    assert Entry.objects.filter(event=call.leaves).count() > before or not call.leaves
    assert "no-store" in response["Cache-Control"]


def test_whatever_can_be_read_can_be_read_in_a_browser(person):
    browser = person.browser()

    for call in CALLS:
        if call.method == "GET":
            assert browser.get(call.prepared(person)[0]).status_code == 200, call


def test_call_is_refused_to_a_token_without_its_scope(person):
    for call in PRIVATE:
        path, body = call.prepared(person)
        area, _, right = call.scope.partition(":")
        beside = [scope for scope in TokenScope if scope.partition(":")[0] != area or (right, scope) == ("write", f"{area}:read")]
        response = person.program(beside).call(call.method, path, body)
        end_tokens(person)
        assert_problem(response, 403)
        assert response.json()["type"].endswith("#problem-session-needed" if call.with_password else "#problem-scope-missing")


def end_tokens(person):
    person.user.api_tokens.all().delete()


def test_who_may_write_may_read_what_they_write(person):
    assert person.program([TokenScope.ORDERS_WRITE]).get(reverse("api:orders")).status_code == 200


def test_call_is_refused_to_nobody_in_particular(person):
    for call in PRIVATE:
        path, body = call.prepared(person)
        response = anybody().call(call.method, path, body)
        assert_problem(response, 401)
        assert response["WWW-Authenticate"].startswith("Bearer")


def test_public_call_works_for_anybody(person):
    for call in CALLS:
        if call.kind == PUBLIC:
            assert anybody().get(call.prepared(person)[0]).status_code == 200, call


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_staff_have_no_part_in_it(person, role):
    caller = Caller(signed_in_staff(make_staff(role, "staff@example.org")))

    for call in PRIVATE:
        path, body = call.prepared(person)
        assert_problem(caller.call(call.method, path, body), 403)


def test_staff_before_their_second_step_are_nobody(person):
    from tests.orders.factories import client_of

    caller = Caller(client_of(make_staff(enrolled=False)))

    assert_problem(caller.get(reverse("api:account")), 401)


def recorded():
    return Entry.objects.exclude(event="accounts.session.started").count()


@pytest.mark.promise("RIGHTS-6")
def test_what_belongs_to_another_person_is_not_found_in_the_words_for_what_does_not_exist(person, other):
    stranger = other.browser()
    for call in CALLS:
        if call.kind != HERS:
            continue
        path, body = call.prepared(person)
        before = recorded()
        theirs = stranger.call(call.method, path, body)
        path, body = nowhere(call, path, body)
        nobodys = stranger.call(call.method, path, body)

        assert_problem(theirs, 404)
        assert {**theirs.json(), "instance": ""} == {**nobodys.json(), "instance": ""}, call
        assert recorded() == before


def nowhere(call, path, body):
    """The same call about something that nobody has."""
    nobodys = "01890000-0000-7000-8000-000000000000"
    if isinstance(body, dict) and "record" in body:
        return path, {**body, "record": nobodys}
    match = resolve(path)
    name = next(iter(match.kwargs))
    value = nobodys if isinstance(match.kwargs[name], UUID) else "NOTHING999"
    return reverse(f"api:{call.name}", kwargs={**match.kwargs, name: value}), body


def test_a_malformed_id_is_not_found(person):
    browser = person.browser()

    for path in ("orders/%00/", "orders/\u0661/", "requests/nonsense/", "data/categories/nonsense/", "permissions/nonsense/", "nonsense"):
        assert_problem(browser.get(f"/api/v1/{path}"), 404)


def test_other_methods_are_refused_to_whoever_calls(person):
    callers = [person.browser(), person.program(), anybody()]
    for call in CALLS:
        path, _body = call.prepared(person)
        allowed = {each.method for each in CALLS if each.name == call.name}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - allowed:
            for caller in callers:
                response = caller.call(method, path)
                assert_problem(response, 405)
                assert {name.strip() for name in response["Allow"].split(",")} - {"HEAD"} == allowed


@pytest.mark.promise("COLLECT-3")
def test_an_unknown_field_or_parameter_is_refused_and_not_repeated(person):
    browser = person.browser()
    for call in CALLS:
        path, body = call.prepared(person)
        before = recorded()
        more = body.with_field("Kanarka") if isinstance(body, Form) else {**(body or {}), "Kanarka": "Kanarka"}
        with_field = browser.call(call.method, path, more) if call in BODIES else None
        with_parameter = browser.call(call.method, f"{path}?Kanarka=Kanarka", body)

        for response in filter(None, (with_field, with_parameter)):
            assert_problem(response, 422)
            assert "Kanarka" not in response.content.decode()
        assert recorded() == before, call


@pytest.mark.parametrize("how", ["expired", "ended", "closed"])
def test_a_token_that_no_longer_works_is_refused_and_no_session_stands_in_for_it(person, how):
    program = person.program()
    if how == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "ended":
        ApiToken.objects.all().delete()
    else:
        type(person.user).objects.filter(pk=person.user.pk).update(is_active=False)
    program.client = person.browser().client

    for name in ("account", "products"):
        assert_problem(program.get(reverse(f"api:{name}")), 401)


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer mkt_nonsense", "Basic dXNlcjpwYXNz", "nonsense", "Bearer ё"])
def test_nonsense_in_place_of_a_token_is_refused(person, header):
    assert_problem(person.browser().get(reverse("api:account"), HTTP_AUTHORIZATION=header), 401)
