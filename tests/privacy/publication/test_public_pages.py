"""What everybody can read: history, differences, announcements, the banner and the feed."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from privacy.declarations.purposes import Purpose
from privacy.policy.actions import publish_policy
from privacy.policy.models import NOTICE_PERIOD, PolicyVersion
from privacy.policy.roles import Actor
from privacy.publication.actions import withdraw_announcement

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"
HISTORY, ANNOUNCEMENTS, FEED = "/privacy/policy/history/", "/privacy/announcements/", "/privacy/announcements/feed/"
WORDS = {
    "en": {
        "title": "Policy <i>two</i>",
        "summary": ["It is short."],
        "sections": [{"id": "x", "heading": "X", "paragraphs": ["<script>"]}],
    },
    "de": {"title": "Fassung zwei", "summary": ["Sie ist kurz."], "sections": [{"id": "x", "heading": "X", "paragraphs": ["Worte."]}]},
}


def publish(number, purposes=tuple(Purpose), words=WORDS):
    at = timezone.now() + NOTICE_PERIOD + timedelta(days=number)
    return publish_policy(by=Actor.job("test"), number=number, texts=words, purposes=list(purposes), effective_at=at)


def shown(client, address, **headers):
    response = client.get(address, headers=headers)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


@pytest.mark.promise("CHANGE-5")
def test_history_shows_every_version_with_its_times_and_standing(client, officer):
    version = publish(2)
    before = shown(client, HISTORY)

    withdraw_announcement(by=officer, version=version)
    after = shown(client, HISTORY)

    assert "In force" in before
    assert "Announced, not in force yet" in before
    assert "Withdrawn before it took effect" in after
    assert "never; withdrawn on" in after


def test_history_leads_to_any_two_versions(client):
    publish(2)

    assert client.get(HISTORY, {"old": "1", "new": "2"}).url == "/privacy/policy/1/to/2/"


@pytest.mark.parametrize("query", [{"old": "1", "new": "1"}, {"old": "1", "new": "9"}, {"old": "1"}, {"old": "1", "new": "2", "more": "x"}])
def test_history_says_what_is_wrong_with_the_choice(client, query):
    publish(2)

    response = client.get(HISTORY, query)

    assert response.status_code == 422
    assert "There is a problem" in response.content.decode()


@pytest.mark.promise("CHANGE-1")
def test_differences_mark_words_and_uses_and_escape_what_was_written(client):
    publish(2, purposes=[purpose for purpose in Purpose if purpose != Purpose.IMPROVEMENT])

    page = shown(client, "/privacy/policy/1/to/2/")

    assert "<script>" not in page.split("</head>")[1]
    assert "&lt;script&gt;" in page
    assert (
        "Policy &lt;i&gt;two&lt;/i&gt;"
        in page.replace('<span class="visually-hidden">Added: </span>', "").replace("<ins>", "").replace("</ins>", "")
        or "&lt;i&gt;two&lt;/i&gt;" in page
    )
    assert f"<del>{Purpose.IMPROVEMENT.label}</del>" in page
    assert f"<ins>{Purpose.IMPROVEMENT.label}</ins>" in shown(client, "/privacy/policy/2/to/1/")


def test_differences_compare_two_texts_of_one_language(client):
    publish(2)

    assert "Fassung" in shown(client, "/privacy/policy/1/to/2/", **{"accept-language": "de"})
    assert 'lang="en"' in shown(client, "/privacy/policy/1/to/2/", **{"accept-language": "ar"})


@pytest.mark.parametrize("address", ["/privacy/policy/1/to/1/", "/privacy/policy/1/to/9/", "/privacy/announcements/9/"])
def test_what_there_is_not_is_not_found(client, address):
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("address", [HISTORY, ANNOUNCEMENTS, FEED, "/privacy/announcements/1/", "/privacy/policy/1/to/2/"])
def test_public_pages_are_only_read(client, address):
    publish(2)

    assert client.get(address).status_code == 200
    assert client.post(address).status_code in (403, 405)


@pytest.mark.parametrize("address", [HISTORY, ANNOUNCEMENTS, FEED, "/privacy/announcements/2/", "/privacy/policy/1/to/2/"])
def test_public_pages_ask_a_constant_number_of_questions(client, address, django_assert_max_num_queries):
    publish(2)
    with django_assert_max_num_queries(14) as few:
        client.get(address)
    for number in range(3, 8):
        publish(number)

    with django_assert_max_num_queries(len(few)):
        client.get(address)


@pytest.mark.promise("CHANGE-1")
def test_every_page_tells_of_an_announced_version_until_it_counts(client, time_machine):
    before = shown(client, "/sign-in/")
    version = publish(2)
    during = shown(client, "/sign-in/")
    time_machine.move_to(version.effective_at)

    words, link = "Our privacy policy changes on", 'href="/privacy/announcements/2/"'
    assert (words in before, words in during, link in during) == (False, True, True)
    assert words not in shown(client, "/sign-in/")


def test_the_banner_goes_with_the_announcement(client, officer):
    withdraw_announcement(by=officer, version=publish(2))

    assert "Our privacy policy changes on" not in shown(client, "/sign-in/")


@pytest.mark.promise("CHANGE-1")
def test_an_announcement_says_from_when_what_and_what_can_be_done(client):
    publish(2)

    page = shown(client, "/privacy/announcements/2/")

    for link in ("/privacy/policy/1/to/2/", "/privacy/policy/2/", "/account/permissions/", "/account/erase/", "/account/copy/"):
        assert link in page or link == "/account/copy/"
    assert "It is short." in page
    assert "Until that day nothing changes" in page


def test_announcements_say_what_became_of_each(client, officer):
    withdraw_announcement(by=officer, version=publish(2))

    assert "It never counted, and it never will." in shown(client, "/privacy/announcements/2/")
    assert "Withdrawn before it took effect" in shown(client, ANNOUNCEMENTS)


@pytest.mark.promise("CHANGE-1")
def test_the_feed_is_valid_atom_with_addresses_of_the_site(client, settings, officer):
    """RFC 4287: what a feed and an entry must have, ids that differ, and moments that are moments."""
    withdraw_announcement(by=officer, version=publish(2))

    response = client.get(FEED)

    assert response["Content-Type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(response.content)
    entries = feed.findall(f"{ATOM}entry")
    assert [feed.find(f"{ATOM}{name}") is not None for name in ("id", "title", "updated", "author")] == [True] * 4
    assert {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}["self"] == settings.SITE_URL + FEED
    assert [entry.find(f"{ATOM}title").text for entry in entries] == [
        "Version 2 of our privacy policy was withdrawn",
        "Version 2 of our privacy policy",
        "Version 1 of our privacy policy",
    ]
    assert len({entry.find(f"{ATOM}id").text for entry in entries}) == 3
    for entry in entries:
        assert entry.find(f"{ATOM}link").get("href").startswith(f"{settings.SITE_URL}/privacy/announcements/")
        assert timezone.datetime.fromisoformat(entry.find(f"{ATOM}updated").text).tzinfo


def test_every_page_leads_to_the_feed(client):
    assert f'<link rel="alternate" type="application/atom+xml" href="{FEED}"' in shown(client, "/sign-in/")


def test_pages_are_there_before_anything_is_published(nothing_published, client):
    assert not PolicyVersion.objects.exists()
    assert "Nothing was announced yet" in shown(client, ANNOUNCEMENTS)
    assert client.get(HISTORY).status_code == 200
    assert client.get(FEED).status_code == 200
