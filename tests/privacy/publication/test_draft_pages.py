"""The staff's pages of a draft."""

import pytest

from privacy.policy.actions import fingerprint
from privacy.policy.models import PolicyWithdrawal
from privacy.policy.queries import published_versions
from privacy.policy.roles import STAFF_ROLES, Role
from privacy.publication.actions import whole_fingerprint
from privacy.publication.forms import WordsForm, earliest_day
from privacy.publication.models import PolicyDraft
from privacy.publication.queries import words_to_edit
from tests.accounts.people import make_staff, staff_client

pytestmark = pytest.mark.django_db

LIST = "/admin/privacy/policydraft/"
PREPARES = {Role.ADMINISTRATOR, Role.PRIVACY_OFFICER}


def client_of(role):
    return staff_client(make_staff(role, f"{role}@example.org"), f"{role}@example.org")


def page_of(draft, part=""):
    return f"{LIST}{draft.pk}/{part or 'change/'}"


def filled(draft, locale, **changes):
    """What the browser sends when only ``changes`` were typed."""
    form = WordsForm(words_to_edit(draft, locale), locale)
    values = {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()}
    return {**values, "seen": fingerprint(draft.texts.get(locale)), "_save": "1", **changes}


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_two_roles_write_and_one_announces(role, ready):
    client = client_of(role)
    parts = ["", "words/en/", "preview/de/", "purposes/", "announce/"]

    answers = [client.get(page_of(ready, part)).status_code for part in parts]

    writes = 200 if role in PREPARES else 403
    assert answers == [writes] * 4 + [200 if role == Role.PRIVACY_OFFICER else 403]
    assert client.get(LIST).status_code == writes
    assert client.get(f"{LIST}add/").status_code == writes


def test_a_draft_is_started_once():
    client = client_of(Role.ADMINISTRATOR)

    first = client.post(f"{LIST}add/")
    second = client.post(f"{LIST}add/", follow=True)

    assert first.url == page_of(PolicyDraft.objects.get())
    assert "There is a draft already." in second.content.decode()


@pytest.mark.parametrize("part", ["words/xx/", "preview/xx/"])
def test_a_language_that_the_site_does_not_have_is_not_found(part, draft):
    assert client_of(Role.ADMINISTRATOR).get(page_of(draft, part)).status_code == 404


def test_a_draft_that_is_not_there_is_not_found():
    client = client_of(Role.ADMINISTRATOR)

    assert client.get(f"{LIST}00000000-0000-7000-8000-000000000000/words/en/").status_code == 404


def test_words_are_saved_as_paragraphs_and_shown_escaped(draft):
    client = client_of(Role.ADMINISTRATOR)
    text = "First <b>bold</b>\nand on.\r\n\r\nSecond."

    answer = client.post(page_of(draft, "words/en/"), filled(draft, "en", paragraphs_0=text, heading_0="Who <i>we</i> are"))

    draft.refresh_from_db()
    part = draft.texts["en"]["sections"][0]
    preview = client.get(page_of(draft, "preview/en/")).content.decode()
    assert answer.status_code == 302
    assert (part["heading"], part["paragraphs"]) == ("Who <i>we</i> are", ["First <b>bold</b> and on.", "Second."])
    assert part["id"] == "who-we-are"
    assert "&lt;b&gt;bold&lt;/b&gt;" in preview
    assert "<b>bold" not in preview


def test_a_stale_form_saves_nothing_and_keeps_what_was_typed(draft, write):
    client = client_of(Role.ADMINISTRATOR)
    stale = filled(draft, "en", title="Mine")
    write(draft, "en", title="Theirs")

    answer = client.post(page_of(draft, "words/en/"), stale)

    draft.refresh_from_db()
    assert answer.status_code == 422
    assert "Somebody else changed this" in answer.content.decode()
    assert 'value="Mine"' in answer.content.decode()
    assert draft.texts["en"]["title"] == "Theirs"


def test_words_refuse_fields_that_were_not_asked_for_and_endless_paragraphs(draft):
    client = client_of(Role.ADMINISTRATOR)

    assert client.post(page_of(draft, "words/en/"), filled(draft, "en", more="x")).status_code == 422
    long = client.post(page_of(draft, "words/en/"), filled(draft, "en", paragraphs_0="x" * 5001))
    assert "One paragraph is too long" in long.content.decode()


def test_uses_are_chosen_and_none_is_refused(draft):
    client = client_of(Role.PRIVACY_OFFICER)
    sent = {"seen": fingerprint(draft.purposes), "_purposes": "1"}

    refused = client.post(page_of(draft, "purposes/"), sent)
    client.post(page_of(draft, "purposes/"), {**sent, "purposes": ["order", "account"]})

    draft.refresh_from_db()
    assert refused.status_code == 422
    assert draft.purposes == ["account", "order"]


def test_the_plan_says_what_will_happen_and_announcing_does_it(ready):
    client = client_of(Role.PRIVACY_OFFICER)
    plan = client.get(page_of(ready, "announce/")).content.decode()
    sent = {"seen": whole_fingerprint(ready), "effective_on": earliest_day().isoformat(), "_announce": "1"}

    answer = client.post(page_of(ready, "announce/"), sent)

    assert "people get a mail" in plan
    assert answer.status_code == 302
    assert published_versions()[0].effective_at.date() == earliest_day()
    assert client.get(page_of(ready, "announce/")).status_code == 404
    assert client.get(page_of(ready, "words/en/")).status_code == 404
    assert client.get(page_of(ready)).status_code == 200


def test_too_soon_and_incomplete_are_field_errors(draft, ready, write):
    client = client_of(Role.PRIVACY_OFFICER)
    sent = {"seen": whole_fingerprint(ready), "effective_on": "2020-01-01", "_announce": "1"}
    soon = client.post(page_of(ready, "announce/"), sent)
    write(ready, "de", title="")
    ready.refresh_from_db()

    missing = client.post(
        page_of(ready, "announce/"), {**sent, "seen": whole_fingerprint(ready), "effective_on": earliest_day().isoformat()}
    )

    assert "That is too soon" in soon.content.decode()
    assert "Some words are still missing" in missing.content.decode()
    assert (soon.status_code, missing.status_code, len(published_versions())) == (422, 422, 1)


def test_a_draft_is_discarded_by_its_button_alone(draft):
    client = client_of(Role.ADMINISTRATOR)

    assert client.post(page_of(draft), {}).status_code == 403
    assert client.post(page_of(draft), {"_discard": "1"}).status_code == 302

    draft.refresh_from_db()
    assert draft.discarded_by is not None


def test_the_privacy_officer_withdraws_by_a_button(ready):
    client = client_of(Role.PRIVACY_OFFICER)
    sent = {"seen": whole_fingerprint(ready), "effective_on": earliest_day().isoformat(), "_announce": "1"}
    client.post(page_of(ready, "announce/"), sent)
    version, button = published_versions()[0], 'value="withdraw"'
    page = f"/admin/privacy/policyversion/{version.pk}/change/"

    assert button in client.get(page).content.decode()
    client.post(page, {"_button": "withdraw"})

    assert PolicyWithdrawal.objects.get().version == version
    assert button not in client.get(page).content.decode()
    assert client_of(Role.ADMINISTRATOR).post(page, {"_button": "withdraw"}).status_code == 403
