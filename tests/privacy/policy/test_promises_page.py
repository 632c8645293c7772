"""The public page of the promises: each with its sentence, its evidence and how it stands."""

from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.utils import timezone

from privacy.policy import keeping, promises
from privacy.policy.keeping import Standing, number_of_tests, promise_rows, standing_of
from privacy.policy.promises import PROMISES, Evidence, Promise, evidence_of, register_evidence

pytestmark = pytest.mark.django_db

PAGE = "/privacy/promises/"
BUILT = Promise("USE-3", "t", "privacy.policy", "how")


@pytest.fixture
def no_sources(monkeypatch):
    monkeypatch.setattr(promises, "_sources", {})


def shown(client, **headers):
    response = client.get(PAGE, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.promise("CHANGE-5")
def test_every_promise_stands_on_the_page_with_its_sentence_signed_out(client):
    page = shown(client)

    for promise in PROMISES.values():
        assert f'id="{promise.id}"' in page
        assert promise.how or promise.missing
    assert "PROTECT-5" in page.split("Not kept:")[1][:300]


def test_promises_without_code_say_what_is_missing(client):
    rows = {row.promise.id: row for row in promise_rows()}

    assert {id for id, row in rows.items() if row.standing == Standing.NOT_BUILT} == {"PROTECT-5", "PROTECT-6"}
    assert "What is missing:" in shown(client)


def test_every_built_promise_has_evidence():
    assert [promise.id for promise in PROMISES.values() if promise.control and not promises.has_evidence(promise.id)] == []


@pytest.mark.parametrize(
    ("answers", "standing"),
    [([True, None], "kept"), ([True, False], "failed"), ([None], "nothing_yet"), ([], "nothing_yet")],
)
def test_one_answer_against_a_promise_is_enough(answers, standing):
    assert standing_of(BUILT, [Evidence(answer, "") for answer in answers]) == standing


def test_a_promise_of_which_something_is_missing_is_not_kept_whatever_the_evidence():
    promise = Promise("USE-3", "t", "privacy.policy", "how", "a part")

    assert standing_of(promise, [Evidence(True, "")]) == Standing.NOT_BUILT


@pytest.mark.parametrize(("age", "ok"), [(timedelta(hours=1), True), (timedelta(hours=3), False)])
def test_evidence_that_is_too_old_counts_against_its_promise(no_sources, age, ok):
    at = timezone.now() - age
    register_evidence("USE-3", lambda: Evidence(True, "Verified.", at), fresh_for=timedelta(hours=2))

    [evidence] = evidence_of("USE-3")

    assert (evidence.ok, evidence.at) == (ok, at)
    assert ("at least every 2 hours" in evidence.text) is not ok


@pytest.mark.parametrize("error", [ValueError("secret@example.org"), ZeroDivisionError(), KeyError("x")])
def test_a_room_that_fails_shows_red_and_the_page_still_shows(no_sources, client, error):
    def broken():
        raise error

    register_evidence("USE-3", broken)

    page = shown(client)

    assert "could not be checked just now" in page
    assert "against it" in page
    assert "secret@example.org" not in page


def test_the_page_asks_for_evidence_once_a_minute_and_then_hardly_at_all(client, django_assert_max_num_queries, time_machine):
    shown(client)

    with django_assert_max_num_queries(4):
        shown(client)


def test_the_numbers_are_kept_for_each_language_of_their_own(client):
    english = shown(client)
    german = shown(client, **{"accept-language": "de"})

    assert 'lang="en"' in english
    assert '<html lang="de"' in german


def test_the_page_shows_without_the_cache(client, monkeypatch):
    class Away:
        def get(self, *args):
            raise redis.ConnectionError

        set = get

    monkeypatch.setattr(keeping, "cache", Away())

    assert "USE-3" in shown(client)


def test_without_its_tests_the_program_counts_none(tmp_path: Path):
    assert number_of_tests.__wrapped__(tmp_path)["USE-3"] == 0


def test_nothing_personal_is_kept_in_the_cache(client):
    """Only answers: whether, words with numbers, and when."""
    from django.core.cache import cache

    shown(client)

    _checked_at, evidence = cache.get("promises:en")
    assert {type(value) for answers in evidence.values() for answer in answers for value in (answer.ok, answer.text)} <= {
        bool,
        str,
        type(None),
    }
