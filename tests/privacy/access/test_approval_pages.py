"""The pages of four eyes: where the act is asked for, what the second person reads, and what they can do."""

from datetime import timedelta

import pytest
from django.utils import timezone

from privacy.access.approvals.models import Proposal, ProposalRun
from privacy.access.overrides.models import MatrixOverride
from privacy.policy.roles import Role
from privacy.retention.models import Hold
from privacy.staff_exports.models import StaffExport
from privacy.vault.models import Subject
from tests.accounts.people import PASSWORD, make_staff, staff_client
from tests.orders.conftest import partners  # noqa: F401  the agreements that an order needs
from tests.orders.factories import confirmed, count_queries, make_customer
from tests.privacy.rights.people import perform

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-3")]
ASK, LIST = "/admin/privacy/proposal/ask/", "/admin/privacy/proposal/"


def client_of(role, address):
    return staff_client(make_staff(role, address), address)


@pytest.fixture
def asker(db):
    return client_of(Role.ADMINISTRATOR, "asks@example.org")


@pytest.fixture
def officer(db):
    return client_of(Role.PRIVACY_OFFICER, "decides@example.org")


def fill(client, kind, **given):
    """The page, filled in and sent."""
    form = client.get(f"{ASK}{kind}/").context["form"]
    return client.post(f"{ASK}{kind}/", {"proposal": str(form["proposal"].value()), "why": "the till is broken", "submit": "1"} | given)


def ask_override(client, **changes):
    return fill(
        client, "matrix-override", **({"role": "fulfillment", "purpose": "returns", "categories": ["financial"], "days": "2"} | changes)
    )


def decide(client, proposal, step, **given):
    return client.post(proposal.get_absolute_url(), {step: "1"} | given)


def shown(client, proposal):
    return client.get(proposal.get_absolute_url())


def test_an_exception_from_its_page_to_the_matrix_and_back(asker, officer):
    answer = ask_override(asker)
    proposal = Proposal.objects.get()
    assert answer["Location"] == proposal.get_absolute_url()
    page = shown(officer, proposal)
    assert b"the till is broken" in page.content
    assert str(proposal.proposed_by).encode() in page.content

    decide(officer, proposal, "_approve", seen=page.context["approval_form"]["seen"].value())
    perform(ProposalRun.objects.get())

    assert b"Exceptions in force" in officer.get("/admin/roles/").content
    assert b"days in force" in shown(asker, proposal).content
    made = MatrixOverride.objects.get()
    officer.post(f"/admin/privacy/matrixoverride/{made.pk}/change/", {"_button": "end"})
    assert b"Exceptions in force" not in officer.get("/admin/roles/").content


def test_whoever_asked_can_only_withdraw(asker, officer):
    ask_override(asker)
    proposal = Proposal.objects.get()
    page = shown(asker, proposal)
    assert page.context["approval_form"] is page.context["refusal_form"] is None

    decide(asker, proposal, "_approve", seen="0" * 64)
    decide(asker, proposal, "_refuse", answer="not at all")
    proposal.refresh_from_db()
    assert proposal.state == "proposed"

    decide(asker, proposal, "_withdraw")
    proposal.refresh_from_db()
    assert proposal.state == "withdrawn"


def test_other_staff_read_it_and_decide_nothing(asker, officer):
    ask_override(asker)
    proposal = Proposal.objects.get()
    auditor = client_of(Role.AUDITOR, "reads@example.org")

    page = shown(auditor, proposal)
    decide(auditor, proposal, "_approve", seen="0" * 64)

    assert page.status_code == 200
    assert page.context["refusal_form"] is None
    proposal.refresh_from_db()
    assert proposal.state == "proposed"


def test_an_old_page_approves_nothing(asker, officer):
    ask_override(asker)
    proposal = Proposal.objects.get()

    answer = officer.post(proposal.get_absolute_url(), {"_approve": "1", "seen": "0" * 64}, follow=True)

    assert "The plan has changed" in answer.content.decode()
    assert not ProposalRun.objects.exists()


def test_a_refusal_without_words_shows_the_page_again(asker, officer):
    ask_override(asker)
    proposal = Proposal.objects.get()

    page = decide(officer, proposal, "_refuse", answer="")
    assert page.context["refusal_form"].errors
    decide(officer, proposal, "_refuse", answer="not needed any more")

    proposal.refresh_from_db()
    assert (proposal.state, proposal.answer) == ("refused", "not needed any more")
    assert b"not needed any more" in shown(asker, proposal).content


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"categories": ["interaction"]}, "categories"),
        ({"days": "15"}, "days"),
        ({"role": "administrator"}, "role"),
        ({"why": "because of marker@example.org"}, "why"),
        ({"extra": "1"}, "__all__"),
    ],
)
def test_a_form_that_is_wrong_loses_nothing(asker, officer, changes, field):
    page = ask_override(asker, **changes)

    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert page.context["form"]["days"].value() == changes.get("days", "2")
    assert not Proposal.objects.exists()


def test_an_exception_that_opens_nothing_new_is_refused_on_its_page(asker, officer):
    page = ask_override(asker, categories=["purchase"])

    assert "no longer possible" in page.content.decode()
    assert not Proposal.objects.exists()


def test_pages_of_kinds_that_are_not_there_or_not_theirs(asker, officer):
    assert asker.get(f"{ASK}nothing/").status_code == 404
    assert asker.get(f"{ASK}orders-cancel/").status_code == 404
    assert asker.get(f"{ASK}hold-release/").status_code == 403
    assert officer.get(f"{ASK}staff-export/").status_code == 403


def test_the_front_page_counts_what_waits_for_me(asker, officer):
    ask_override(asker)

    assert b"Needs a second person" in officer.get("/admin/").content
    assert [proposal.pk for proposal in officer.get(f"{LIST}?waits=for-me").context["cl"].result_list] == [Proposal.objects.get().pk]
    assert not asker.get(f"{LIST}?waits=for-me").context["cl"].result_list


def test_the_list_takes_the_same_queries_for_few_and_many(asker, officer):
    ask_override(asker)
    officer.get(LIST)
    few = count_queries(lambda: officer.get(LIST))
    for _ in range(5):
        ask_override(asker)

    assert count_queries(lambda: officer.get(LIST)) == few


@pytest.mark.promise("RIGHTS-8")
def test_a_hold_is_placed_and_released_on_pages(asker, officer):
    person = Subject.objects.create()
    until = (timezone.now() + timedelta(days=40)).date().isoformat()
    officer.post("/admin/privacy/hold/add/", {"person": str(person.pk), "ground": "claims", "until": until, "submit": "1"})
    hold = Hold.objects.get(subject=person)
    page = officer.post(f"/admin/privacy/hold/{hold.pk}/change/", {"_button": "release"})
    assert page["Location"] == f"{ASK}hold-release/?hold={hold.pk}"
    assert str(hold.pk) in officer.get(page["Location"]).content.decode()

    fill(officer, "hold-release", hold=str(hold.pk))
    proposal = Proposal.objects.get()
    decide(asker, proposal, "_approve", seen=shown(asker, proposal).context["approval_form"]["seen"].value())
    perform(ProposalRun.objects.get())

    hold.refresh_from_db()
    assert hold.release == proposal


@pytest.mark.parametrize(
    ("person", "until"), [("00000000-0000-7000-8000-000000000000", "2099-01-01"), ("nobody", "yesterday"), ("", "2001-01-01")]
)
def test_a_hold_that_is_wrong_is_not_placed(officer, person, until):
    page = officer.post("/admin/privacy/hold/add/", {"person": person, "ground": "claims", "until": until, "submit": "1"})

    assert page.status_code == 422
    assert {"person", "until"} <= set(page.context["form"].errors)


def test_others_place_no_hold(asker):
    assert asker.get("/admin/privacy/hold/add/").status_code == 403


@pytest.mark.promise("COLLECT-5")
def test_an_export_is_asked_for_by_codes_and_downloaded_with_the_password(officer, partners, settings):  # noqa: F811
    settings.STAFF_EXPORTS = True
    support, order = client_of(Role.SUPPORT, "support@example.org"), confirmed(user=make_customer())
    given = {"cases": "orders.order", "codes": order.code.lower(), "purpose": "order", "categories": ["account"]}
    assert "codes" in fill(support, "staff-export", **(given | {"codes": "NOSUCHCODE"})).context["form"].errors
    fill(support, "staff-export", **given)
    proposal = Proposal.objects.get()
    decide(officer, proposal, "_approve", seen=shown(officer, proposal).context["approval_form"]["seen"].value())
    perform(ProposalRun.objects.get())
    export = perform(StaffExport.objects.get())
    assert b"Marker" not in support.get(export.get_absolute_url()).content
    address = f"/admin/privacy/staffexport/{export.pk}/download/"

    assert support.post(address, {"password": "wrong", "submit": "1"}).status_code == 422
    answer = support.post(address, {"password": PASSWORD, "submit": "1"})

    assert b"Marker" in b"".join(answer.streaming_content)
    assert answer["Content-Disposition"] == f'attachment; filename="{export.pk}.csv"'
    assert "no-store" in answer["Cache-Control"]
    assert officer.get(address).status_code == 404
    stranger = client_of(Role.SUPPORT, "stranger@example.org")
    assert stranger.get(address).status_code == 404
    assert stranger.get(export.get_absolute_url()).status_code == 302
    assert client_of(Role.ADMINISTRATOR, "runs@example.org").get(address).status_code == 403
