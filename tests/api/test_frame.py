"""What holds for every call: one unit of work, problems that repeat nothing, pages of lists, limits, languages."""

import json
import logging
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from audit.events import Event
from audit.models import Entry
from marketplace.accounts.models import User
from marketplace.errors import FrameFormatter, WithoutValues
from privacy.access.gate import unit_of_work
from privacy.rights.actions import request_erasure
from privacy.vault import keys
from tests.accounts.people import PASSWORD
from tests.api.people import KEY, Caller, anybody
from tests.guests import guest_client
from tests.orders.factories import count_queries, received

pytestmark = pytest.mark.django_db
ODD = pytest.mark.urls("tests.api.views")


def problem(response):
    assert response["Content-Type"] == "application/problem+json", response.content
    return response.json()["type"].rpartition("#problem-")[2]


def quiet(caller):
    caller.client.raise_request_exception = False
    return caller


def locale_of(person):
    return User.objects.get(pk=person.user.pk).locale


# The unit of work


@ODD
@pytest.mark.promise("USE-3")
@pytest.mark.parametrize(("address", "status"), [("breaks", 500), ("refused", 403), ("invalid", 422)])
def test_a_call_that_fails_leaves_nothing_behind_but_its_refusal(person, address, status):
    program = quiet(person.program())
    opened = Entry.objects.filter(event=Event.DATA_OPENED).count()

    response = program.post(f"/api/v1/{address}/")

    assert response.status_code == status
    assert locale_of(person) == "en"
    assert Entry.objects.filter(event=Event.DATA_OPENED).count() == opened
    assert Entry.objects.filter(event=Event.DATA_REFUSED).count() == (1 if address == "refused" else 0)


@ODD
@pytest.mark.promise("USE-3")
def test_an_answer_that_cannot_be_rendered_is_rolled_back_with_its_openings(person):
    program = quiet(person.program())
    opened = Entry.objects.filter(event=Event.DATA_OPENED).count()

    response = program.get("/api/v1/unrendered/")

    assert response.status_code == 500
    assert problem(response) == "fault"
    assert "Kanarka" not in response.content.decode()
    assert locale_of(person) == "en"
    assert Entry.objects.filter(event=Event.DATA_OPENED).count() == opened


@pytest.mark.promise("PROTECT-1")
@pytest.mark.django_db(transaction=True)
def test_without_the_vault_the_problem_says_so(person, transactional_db, monkeypatch):
    program = person.program()
    vault = connections["vault"]
    vault.close()
    monkeypatch.setitem(vault.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(vault.settings_dict, "PORT", "1")
    keys.cache.clear()

    response = program.get(reverse("api:details"))

    vault.close()
    assert response.status_code == 503
    assert problem(response) == "vault"


@pytest.mark.promise("RIGHTS-3")
def test_an_erased_person_can_open_nothing_any_more(person):
    program = person.program()
    type(person.subject).objects.filter(pk=person.subject.pk).update(erased_at=person.user.created_at)

    response = program.get(reverse("api:details"))

    assert response.status_code == 403
    assert problem(response) == "not-open"


# Sealed values


@ODD
@pytest.mark.promise("PROTECT-4")
def test_a_sealed_value_prints_as_its_mask_unless_the_field_opens_it(person):
    shown = person.program().get("/api/v1/shows/").json()

    assert shown == {"masked": "••••• •••••", "as_text": "••••• •••••", "opened": "Kanarka Nameson"}


# Problems


@ODD
@pytest.mark.promise("PROTECT-4")
def test_a_fault_is_answered_and_logged_without_a_value(person, caplog):
    caplog.handler.setFormatter(FrameFormatter("%(levelname)s %(name)s: %(message)s"))
    caplog.handler.addFilter(WithoutValues())
    with caplog.at_level(logging.WARNING):
        response = quiet(person.program()).post("/api/v1/breaks/")

    assert problem(response) == "fault"
    assert "Kanarka" not in response.content.decode()
    assert caplog.text.count("Internal Server Error") == 1
    assert "ValueError" in caplog.text
    assert "Kanarka" not in caplog.text


@ODD
def test_the_words_of_an_error_are_never_those_of_whoever_raised_it(person):
    response = person.program().post("/api/v1/invalid/")

    assert response.json()["errors"] == [{"pointer": "#/name", "detail": "This does not have the form that we take."}]


def test_the_instance_is_the_number_under_which_the_log_knows_the_call(person):
    response = person.program().post(reverse("api:cancel-order", args=[person.sent.code]))

    assert response.status_code == 409
    assert problem(response) == "state"
    assert response.json()["instance"].startswith("urn:uuid:")


@pytest.mark.promise("PROTECT-4")
@pytest.mark.parametrize(
    ("name", "body", "pointer"),
    [
        ("freezes", {"categories": ["Kanarka"]}, "#/categories/0"),
        ("freezes", {"categories": "Kanarka"}, "#/categories"),
        ("objections", {"purpose": "Kanarka"}, "#/purpose"),
        ("objections", {"purpose": "improvement", "reason": ["Kanarka"]}, "#/reason"),
        ("corrections", {"record": "Kanarka", "field": "line1", "value": "x"}, "#/record"),
        ("erasures", {"password": "Kanarka" * 40}, "#/password"),
        ("email", {"email": "Kanarka", "password": PASSWORD}, "#/email"),
    ],
)
def test_a_refused_value_is_named_by_its_place_and_not_repeated(person, name, body, pointer):
    response = person.browser().post(reverse(f"api:{name}"), body)

    assert response.status_code == 422, response.content
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert "Kanarka" not in response.content.decode()


@pytest.mark.promise("PROTECT-4")
def test_a_value_that_the_room_refuses_is_not_repeated_either(person):
    record = person.sent.addresses.get()
    body = {"record": str(record.pk), "field": "postcode", "value": "Kanarka" * 8}

    response = person.program().post(reverse("api:corrections"), body)

    assert response.status_code == 422
    assert "Kanarka" not in response.content.decode()


@pytest.mark.parametrize("query", ["page=Kanarka", "page=0", "page=-1", "page=1.0", "page_size=101", "page_size=", "page=１"])
def test_a_refused_parameter_is_named(person, query):
    response = person.program().get(f"{reverse('api:orders')}?{query}")

    assert response.status_code == 422
    assert [error["parameter"] for error in response.json()["errors"]] == [query.partition("=")[0]]
    assert "Kanarka" not in response.content.decode()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"NaN", "application/json", 400),
        (b"[1]", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b"null", "application/json", 422),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"x", "text/plain", 415),
        (b'{"name": "' + b"x" * 1_000_001 + b'"}', "application/json", 413),
        (b'{"name": "\\ud800"}', "application/json", 422),
        (b'{"name": "\\u0000"}', "application/json", 422),
        (b'{"name": 7}', "application/json", 422),
        (b'{"name": null}', "application/json", 422),
        (b'{"name": " "}', "application/json", 422),
    ],
)
def test_a_body_that_is_not_what_it_should_be_is_refused(person, body, kind, status):
    program = person.program()

    response = program.client.generic("PATCH", reverse("api:details"), body, kind, **program.headers, **{KEY: "a-key-of-its-own"})

    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"


def test_a_large_body_is_refused_without_a_key_too(person):
    response = person.program().call("PUT", reverse("api:permission", args=["account"]), {"fingerprint": "x" * 1_000_001})

    assert response.status_code == 413


def test_another_form_of_answer_is_refused(person):
    assert person.program().get(reverse("api:account"), HTTP_ACCEPT="text/html").status_code == 406


def test_an_address_that_is_none_is_a_problem_too():
    for path in ("/api/v1/nothing", "/api/v1/orders", "/api/v1/orders//"):
        assert problem(anybody().get(path)) == "not-found"


@pytest.mark.promise("PROTECT-4")
def test_whatever_a_person_sends_stands_in_no_error_no_log_line_and_no_cache(person, caplog):
    caplog.handler.addFilter(WithoutValues())
    program = quiet(person.program())
    sent = {"password": "Kanarka", "Kanarka": "Kanarka"}
    with caplog.at_level(logging.DEBUG):
        answers = [
            program.call(method, reverse(f"api:{name}"), sent)
            for method, name in (("PATCH", "details"), ("POST", "corrections"), ("POST", "copies"), ("PUT", "orders"))
        ]
        answers.append(program.get(f"{reverse('api:products')}?category=Kanarka!"))
        answers.append(program.get("/api/v1/Kanarka/"))

    assert {answer.status_code for answer in answers} <= {404, 405, 422}
    assert not [answer for answer in answers if "Kanarka" in answer.content.decode()]
    assert "Kanarka" not in caplog.text
    assert "kanarka" not in repr([(key, cache.get(key)) for key in _cache_keys()]).lower()


def _cache_keys():
    client = cache._cache.get_client()
    return [key.decode().split(":", 2)[2] for key in client.keys("*")]


# Sessions


def test_a_session_needs_its_csrf_token(person):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person.user, backend="marketplace.accounts.backends.MailboxBackend")

    response = Caller(client).post(reverse("api:copies"))

    assert response.status_code == 403
    assert problem(response) == "cross-site"


def test_a_session_with_its_csrf_token_may(person):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person.user, backend="marketplace.accounts.backends.MailboxBackend")
    client.get(reverse("accounts:details"))

    response = Caller(client).post(reverse("api:copies"), HTTP_X_CSRFTOKEN=client.cookies["csrf"].value)

    assert response.status_code == 201


def test_a_token_needs_none_and_sets_no_cookie(person):
    program = person.program()
    program.client = Client(enforce_csrf_checks=True)

    response = program.post(reverse("api:copies"))

    assert response.status_code == 201
    assert not response.cookies


def test_a_token_counts_nowhere_else(person):
    program = person.program()

    assert program.get(reverse("accounts:overview")).status_code == 302


def test_a_token_beside_a_session_decides(person, other):
    program = person.program()
    program.client = other.browser().client

    assert program.get(reverse("api:details")).json()["email"] == person.email


@pytest.mark.promise("RIGHTS-10")
def test_a_guest_reads_their_own_data_and_has_no_account(person):
    guest = Caller(guest_client(person.subject))

    assert guest.get(reverse("api:orders")).status_code == 200
    assert guest.get(reverse("api:data")).status_code == 200
    assert guest.get(reverse("api:tokens")).status_code == 404


@pytest.mark.promise("RIGHTS-10")
@pytest.mark.parametrize(("ago", "status"), [(timedelta(), 201), (timedelta(minutes=16), 403), (timedelta(hours=2), 401)])
def test_a_guest_proves_themselves_by_a_fresh_link(person, ago, status):
    guest = Caller(guest_client(person.subject, ago))

    assert guest.post(reverse("api:erasures"), {}).status_code == status


@pytest.mark.parametrize(("given", "status", "name"), [({}, 422, "invalid"), ({"password": "wrong"}, 422, "wrong-password")])
def test_what_cannot_be_taken_back_wants_the_password(person, given, status, name):
    response = person.browser().post(reverse("api:erasures"), given)

    assert response.status_code == status
    assert problem(response) == name


def test_guessing_the_password_ends(person):
    browser = person.browser()
    for _ in range(5):
        browser.post(reverse("api:erasures"), {"password": "wrong"})

    response = browser.post(reverse("api:erasures"), {"password": PASSWORD})

    assert response.status_code == 429
    assert problem(response) == "too-many-attempts"


# Lists


def test_a_list_comes_in_pages_with_ways_to_the_others(person):
    for _ in range(5):
        person.order(received)
    program, path = person.program(), reverse("api:orders")

    first, last = program.get(f"{path}?page_size=2"), program.get(f"{path}?page_size=2&page=3")

    assert first.json()["count"] == 5
    assert len(first.json()["items"]) == 2
    assert first["Link"] == f'<http://testserver{path}?page=2&page_size=2>; rel="next"'
    assert last["Link"] == f'<http://testserver{path}?page=2&page_size=2>; rel="prev"'
    assert problem(program.get(f"{path}?page_size=2&page=4")) == "not-found"


def test_lists_and_orders_take_constant_queries(person):
    program = person.program()
    person.browser()
    lists = [
        reverse(f"api:{name}") for name in ("orders", "requests", "uses", "recipients", "permissions", "products", "tokens", "sessions")
    ]
    paths = [*lists, reverse("api:records", args=["delivery"]), reverse("api:order", args=[person.sent.code])]

    def numbers():
        for path in paths:
            program.get(path)
        return {path: count_queries(lambda path=path: program.get(path)) for path in paths}

    few = numbers()
    for _ in range(6):
        person.order(received)
        person.program()
        person.browser()

    grown = {path: (few[path], number) for path, number in numbers().items() if number > few[path]}
    assert grown == {}


# Limits


def test_too_many_calls_in_a_minute_are_refused_with_what_is_left(person, settings):
    settings.API_CALLS_A_MINUTE = 3
    program, browser = person.program(), person.browser()

    answers = [each.get(reverse("api:account")) for each in (program, browser, program)]
    refused = browser.get(reverse("api:account"))

    assert [answer["RateLimit"].partition(";t=")[0] for answer in answers] == ['"calls";r=2', '"calls";r=1', '"calls";r=0']
    assert answers[0]["RateLimit-Policy"] == '"calls";q=3;w=60'
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert refused.json()["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert refused.json()["violated-policies"] == ["calls"]


@pytest.mark.promise("COLLECT-1")
def test_calls_of_nobody_are_counted_without_keeping_where_they_come_from(settings, person):
    settings.API_CALLS_A_MINUTE = 1
    path = reverse("api:products")

    statuses = [anybody().get(path, REMOTE_ADDR=address).status_code for address in ("192.0.2.7", "192.0.2.7", "192.0.2.8")]

    assert statuses == [200, 429, 200]
    assert "192.0.2" not in repr(_cache_keys())


# Languages


@pytest.mark.promise("RIGHTS-10")
def test_answers_and_problems_speak_the_language_that_is_asked_for(person):
    program = person.program()

    german = program.get(reverse("api:permissions"), HTTP_ACCEPT_LANGUAGE="de")

    assert german["Content-Language"] == "de"
    assert german.json() != program.get(reverse("api:permissions")).json()
    assert program.get("/api/v1/nothing", HTTP_ACCEPT_LANGUAGE="de")["Content-Language"] == "de"


@pytest.mark.promise("RIGHTS-4")
def test_a_yes_to_words_in_another_language_is_refused(person):
    program, path = person.program(), reverse("api:permission", args=["improvement"])
    words = program.get(path, HTTP_ACCEPT_LANGUAGE="de").json()["fingerprint"]

    response = program.call("PUT", path, {"fingerprint": words})

    assert response.status_code == 409
    assert problem(response) == "words-changed"


# What the rooms refuse


def test_what_was_asked_for_already_is_a_conflict(person):
    program = person.program()
    program.post(reverse("api:copies"))

    response = program.post(reverse("api:copies"))

    assert response.status_code == 409
    assert problem(response) == "already-asked"


def test_what_has_ended_cannot_be_canceled(person):
    with unit_of_work():
        request = request_erasure(by=person.actor, subject=person.subject)
    program, path = person.program(), reverse("api:cancel-request", args=[request.pk])
    program.post(path)

    assert problem(program.post(path)) == "too-late"


def test_the_copy_is_a_file_and_says_not_whose(person):
    from tests.api.calls import _a_copy

    response = person.browser().post(reverse("api:download", args=[_a_copy(person).pk]), {"password": PASSWORD})

    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    assert response.file[:2] == b"PK"


def test_json_has_no_charset_and_is_utf8(person):
    response = person.program().get(reverse("api:records", args=["account"]))

    assert response["Content-Type"] == "application/json"
    assert json.loads(response.content)
    assert connection.in_atomic_block
