"""The public pages of the policy."""

from datetime import timedelta

import pytest
from django.utils import timezone

from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.actions import change_operator
from privacy.policy.models import NOTICE_PERIOD
from privacy.policy.queries import policy_in_force, text_of
from privacy.policy.roles import Actor
from privacy.policy.texts import words_of_version

pytestmark = pytest.mark.django_db

PAGE = "/privacy/policy/"
LATER = NOTICE_PERIOD + timedelta(minutes=1)


def shown(response):
    return response.content.decode()


@pytest.mark.promise("CHANGE-5")
def test_policy_is_readable_signed_out(client):
    response = client.get(PAGE)

    assert response.status_code == 200
    for section in words_of_version(1)["en"]["sections"]:
        assert f'id="{section["id"]}"' in shown(response)


@pytest.mark.promise("CHANGE-5")
def test_policy_starts_with_its_summary_and_ends_with_fingerprint_and_versions(client):
    page = shown(client.get(PAGE))

    summary = words_of_version(1)["en"]["summary"]
    assert 0 < page.index(summary[0]) < page.index('id="collect"') < page.index(text_of(policy_in_force(), "en").sha256)
    assert '<a href="/privacy/policy/history/">' in page


@pytest.mark.promise("COLLECT-4")
def test_policy_lists_every_purpose_with_its_explanation(client):
    page = shown(client.get(PAGE))

    for purpose in Purpose:
        assert f'id="purpose-{purpose.value}"' in page
        assert str(PURPOSES[purpose].explanation) in page


@pytest.mark.promise("RIGHTS-8")
def test_policy_names_the_law_behind_what_must_be_kept(client):
    page = shown(client.get(PAGE))

    assert "How long we keep it" in page
    assert "HGB § 257" in page


@pytest.mark.promise("RIGHTS-10")
def test_policy_follows_the_language_of_the_browser(client):
    response = client.get(PAGE, headers={"accept-language": "de"})

    assert words_of_version(1)["de"]["title"] in shown(response)
    assert response["Content-Language"] == "de"


@pytest.mark.promise("RIGHTS-10")
def test_policy_is_read_in_arabic_from_right_to_left(client):
    page = shown(client.get(PAGE, headers={"accept-language": "ar"}))

    assert '<html lang="ar" dir="rtl">' in page
    assert words_of_version(1)["ar"]["title"] in page


@pytest.mark.promise("RIGHTS-10")
def test_policy_marks_english_words_on_a_page_in_another_language(client, publish, words):
    publish(2, texts={"en": words["en"]}, effective_at=timezone.now() + timedelta(days=31))

    page = shown(client.get(f"{PAGE}2/", headers={"accept-language": "ar"}))

    assert '<html lang="ar" dir="rtl">' in page
    assert '<bdi lang="en">' in page
    assert '<div class="prose" lang="en" dir="ltr">' in page


def test_policy_is_kept_by_no_shared_cache_and_varies_by_language(client):
    response = client.get(PAGE)

    assert {"private", "no-cache"} <= set(response["Cache-Control"].split(", "))
    assert "Accept-Language" in response["Vary"]


def test_policy_takes_no_posts(client):
    assert client.post(PAGE).status_code == 405
    assert client.post(f"{PAGE}1/").status_code == 405


def test_policy_asks_a_constant_number_of_questions(client, publish, django_assert_max_num_queries):
    with django_assert_max_num_queries(8) as before:
        client.get(PAGE)
    for number in range(2, 6):
        publish(number, effective_at=timezone.now() + LATER)

    with django_assert_max_num_queries(len(before)):
        client.get(PAGE)


@pytest.mark.promise("CHANGE-1")
def test_policy_announces_the_version_to_come(client, publish):
    publish(2, effective_at=timezone.now() + LATER)

    page = shown(client.get(PAGE))

    assert words_of_version(1)["en"]["title"] in page
    assert '<a href="/privacy/announcements/2/">Read what will change</a>' in page


@pytest.mark.promise("CHANGE-1")
def test_a_version_to_come_says_that_it_does_not_count_yet(client, publish):
    publish(2, effective_at=timezone.now() + LATER)

    page = shown(client.get(f"{PAGE}2/"))

    assert "Second policy" in page
    assert "You are reading a version that does not count yet." in page


@pytest.mark.promise("CHANGE-5")
def test_a_replaced_version_stays_readable_and_says_so(client, publish, time_machine):
    day = timezone.now() + LATER
    publish(2, effective_at=day)
    time_machine.move_to(day + timedelta(minutes=1))

    page = shown(client.get(f"{PAGE}1/"))

    assert words_of_version(1)["en"]["summary"][0] in page
    assert "You are reading a version that no longer counts." in page
    assert "Second policy" in shown(client.get(PAGE))


def test_an_unknown_version_is_not_found(client):
    assert client.get(f"{PAGE}99/").status_code == 404


def test_policy_names_the_operator_as_set(client):
    change_operator(by=Actor.job("test"), based_on=0, values={"name": "Example Shop Ltd", "privacy_email": "privacy@example.com"})

    page = shown(client.get(PAGE))

    assert "Example Shop Ltd" in page
    assert 'href="mailto:privacy@example.com"' in page


def test_policy_says_when_the_operator_is_not_set(client):
    assert "has not entered its name here yet" in shown(client.get(PAGE))


def test_policy_before_the_first_publication_says_that_nothing_is_collected(nothing_published, client):
    response = client.get(PAGE)

    assert response.status_code == 503
    assert "Until its policy is published we collect nothing from you." in shown(response)
