"""A call that is sent twice is done once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from marketplace.api import repetition
from marketplace.api.models import RememberedCall
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.interface.areas import TokenScope
from privacy.rights.models import Request
from privacy.vault.blind_index import blind_index
from tests.api.people import KEY
from tests.orders.factories import kinds

pytestmark = pytest.mark.django_db


def test_the_same_call_with_the_same_key_is_answered_alike_and_does_nothing_twice(person):
    program, key, path = person.program(), str(uuid4()), reverse("api:copies")

    first, second = (program.post(path, **{KEY: key}) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert Request.objects.filter(subject=person.subject).count() == 1


def test_a_repeated_change_is_answered_from_what_it_changed(person):
    program, key, path = person.program(), str(uuid4()), reverse("api:cancel-order", args=[person.received.code])

    first, second = (program.post(path, **{KEY: key}) for _ in range(2))

    assert first.status_code == second.status_code == 200
    assert second.json()["state"] == "canceled"
    assert kinds(person.received).count("canceled") == 1


def test_a_repeated_correction_shows_the_values_as_they_are_now(person):
    program, key, path = person.program(), str(uuid4()), reverse("api:details")

    answers = [program.call("PATCH", path, {"name": "Right Name"}, **{KEY: key}).json() for _ in range(2)]

    assert answers == [{"name": "Right Name", "email": person.email}] * 2


@pytest.mark.parametrize(("form", "again"), [('"{}"', "{}"), ("{}", '"{}"')])
def test_a_key_counts_with_and_without_quotes(person, form, again):
    program, key = person.program(), str(uuid4())

    program.post(reverse("api:copies"), **{KEY: form.format(key)})

    assert program.post(reverse("api:copies"), **{KEY: again.format(key)})["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("how", ["body", "address", "method"])
def test_the_same_key_with_another_call_is_refused(person, how):
    program, key = person.program(), str(uuid4())
    path, body = reverse("api:freezes"), {"categories": ["delivery"]}
    program.post(path, body, **{KEY: key})

    if how == "body":
        response = program.post(path, {"categories": ["account"]}, **{KEY: key})
    elif how == "address":
        response = program.post(reverse("api:objections"), body, **{KEY: key})
    else:
        response = program.call("PATCH", reverse("api:details"), body, **{KEY: key})

    assert response.status_code == 422
    assert response.json()["type"].endswith("#problem-key-reused")


def test_the_same_key_of_another_person_is_another_key(person, other):
    key = str(uuid4())

    answers = [each.program().post(reverse("api:copies"), **{KEY: key}) for each in (person, other)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]


@pytest.mark.parametrize(
    ("key", "problem"),
    [(None, "key-missing"), ("short", "key-malformed"), ("with blank in it", "key-malformed"), ("x" * 129, "key-malformed")],
)
def test_a_call_without_a_proper_key_is_refused(person, key, problem):
    program = person.program()

    response = program.client.post(reverse("api:copies"), **program.headers, **({KEY: key} if key else {}))

    assert response.status_code == 400
    assert response.json()["type"].endswith(f"#problem-{problem}")
    assert not Request.objects.filter(subject=person.subject).exists()


def test_a_refused_call_is_not_remembered_and_may_be_sent_again(person):
    program, key, path = person.program(), str(uuid4()), reverse("api:freezes")

    assert program.post(path, {"categories": []}, **{KEY: key}).status_code == 422
    assert not RememberedCall.objects.exists()
    assert program.post(path, {"categories": ["delivery"]}, **{KEY: key}).status_code == 201


def test_after_a_day_a_key_is_new(person):
    program, key, path = person.program(), str(uuid4()), reverse("api:objections")
    program.post(path, {"purpose": "improvement"}, **{KEY: key})
    RememberedCall.objects.update(made_at=timezone.now() - timedelta(hours=25))

    assert repetition.forget_old_calls() == 1
    assert program.post(path, {"purpose": "fraud"}, **{KEY: key}).status_code == 201


def test_a_key_too_old_counts_as_new_before_it_is_deleted(person):
    program, key, path = person.program(), str(uuid4()), reverse("api:objections")
    program.post(path, {"purpose": "improvement"}, **{KEY: key})
    RememberedCall.objects.update(made_at=timezone.now() - timedelta(hours=24, seconds=1))

    assert program.post(path, {"purpose": "fraud"}, **{KEY: key}).status_code == 201
    assert RememberedCall.objects.count() == 1


def test_a_repetition_is_answered_only_to_whoever_may_still_read_it(person):
    key, path = str(uuid4()), reverse("api:copies")
    person.program().post(path, **{KEY: key})

    response = person.program([TokenScope.ORDERS_WRITE]).post(path, **{KEY: key})

    assert response.status_code == 403


def test_a_repetition_of_what_is_gone_says_only_that_it_was_done(person):
    program, key, path = person.program(), str(uuid4()), reverse("api:copies")
    program.post(path, **{KEY: key})
    RememberedCall.objects.update(location=reverse("api:request", args=[uuid4()]))

    assert program.post(path, **{KEY: key}).status_code == 201


@pytest.mark.promise("PROTECT-1")
def test_nothing_that_was_sent_or_answered_is_remembered(person):
    key = f"Kanarka-{uuid4()}"
    person.program().call("PATCH", reverse("api:details"), {"name": "Kanarka Right"}, **{KEY: key})

    remembered = repr(RememberedCall.objects.values_list().get())

    assert "Kanarka" not in remembered
    with unit_of_work(), open_access(by=person.actor, purpose=Purpose.RIGHTS, subject=person.subject) as grant:
        person.user.details.refresh_from_db()
        assert grant.open(person.user.details.name) == "Kanarka Right"


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_once_one_is_done_and_the_others_are_told(person, transactional_db):
    program, key, path, barrier = person.program(), str(uuid4()), reverse("api:copies"), Barrier(4)

    def call(_):
        barrier.wait()
        try:
            return program.post(path, **{KEY: key}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(call, range(4)))

    assert answers.count(201) >= 1
    assert set(answers) <= {201, 409}
    assert Request.objects.filter(subject=person.subject).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_call_under_way_is_not_waited_for(person, transactional_db):
    program, key = person.program(), str(uuid4())
    digest = blind_index("idempotency-key", f"{person.subject.pk}|{key}")

    with ThreadPoolExecutor(1) as pool, unit_of_work():
        repetition._lock(digest)
        response = pool.submit(lambda: (program.post(reverse("api:copies"), **{KEY: key}), connection.close())[0]).result(10)

    assert response.status_code == 409
    assert response.json()["type"].endswith("#problem-call-under-way")
