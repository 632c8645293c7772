"""Who used my data and who has it: everything that the log knows, in words, and nothing of anybody else."""

import io
import json
import re
import zipfile
from datetime import timedelta
from html import unescape
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from audit.actions import integrate_entries
from audit.errors import NotRecordable
from audit.events import Event
from audit.models import Entry
from audit.record import NewEntry, record_many
from marketplace.accounts.actions import search_account
from orders.lifecycle.models import OrderContact
from privacy.access.errors import AccessDenied
from privacy.access.gate import open_access, unit_of_work
from privacy.alerts.key_change_watch import Unknown
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Role
from privacy.rights.errors import NotYourData
from privacy.rights.proofs import take_proofs
from privacy.rights.uses import uses_of
from privacy.sharing.actions import confirm_follow_up, register_recipient, sign_agreement, tell_holders
from privacy.sharing.models import Approval, Disclosure, FollowUp, Recipient
from privacy.sharing.queries import has_approved
from tests.orders.factories import SETUP, actor, client_of, count_queries, make_customer, packed, place
from tests.privacy.rights.people import JOB, disclose_to, entries

REASON = "asked where the parcel is"


def looked(user, role=Role.SUPPORT, purpose=Purpose.ORDER, reason=REASON):
    contact = OrderContact.objects.filter(subject=user.subject).latest("pk")
    with unit_of_work(), open_access(by=actor(role), purpose=purpose, subject=user.subject, reason=reason, case=contact.order) as grant:
        grant.open(contact.name)
    return contact.order


def refused(user):
    with (
        pytest.raises(AccessDenied),
        unit_of_work(),
        open_access(by=actor(Role.AUDITOR), purpose=Purpose.ORDER, subject=user.subject, reason="x"),
    ):
        pass


def text_of(client, address="/account/uses/", status=200):
    page = client.get(address)
    assert page.status_code == status
    return re.sub(r"\s+", " ", page.content.decode())


def number_of(client, query=""):
    return int(re.search(r'id="uses-title">(\d+)', text_of(client, f"/account/uses/{query}")).group(1))


@pytest.mark.promise("USE-3")
def test_a_look_by_staff_is_shown_with_role_purpose_order_and_reason(client, buyer):
    order = looked(buyer)

    page = text_of(client)

    assert "Our staff: Support" in page
    assert str(Purpose.ORDER.label) in page
    assert f'href="/account/orders/{order.code}/"' in page
    assert REASON in page


def test_the_reason_belongs_to_its_own_entry(client, buyer):
    looked(buyer, reason="the first reason")
    looked(buyer, reason="the second reason")

    page = text_of(client, "/account/uses/?who=support")

    assert page.index("the second reason") < page.index("the first reason")
    assert page.count("The reason they gave:") == 2


@pytest.mark.promise("USE-3")
def test_refused_attempts_say_why(client, buyer):
    refused(buyer)

    page = text_of(client, "/account/uses/?refused=on")

    assert "tried to read it and was refused" in page
    assert "This role may not see it." in page
    assert number_of(client, "?refused=on") == 1


@pytest.mark.promise("USE-3")
def test_a_change_around_the_program_is_shown(client, buyer):
    with unit_of_work():
        record_many(
            [
                NewEntry(
                    event=Event.DATA_CHANGED_UNATTRIBUTED,
                    by=Unknown("postgres"),
                    subject=buyer.subject_id,
                    categories=["delivery"],
                    outcome="update",
                )
            ]
        )

    page = text_of(client, "/account/uses/?category=delivery")

    assert "<strong>Somebody unknown to our program</strong> changed it, or a key to it, around our program, which alerted us" in page
    assert number_of(client, "?who=staff&category=delivery") == 0


@pytest.mark.promise("USE-3")
def test_searches_of_an_address_are_shown(client, buyer):
    from tests.accounts.people import make_customer as with_mailbox

    person = with_mailbox("searched@example.org")
    with unit_of_work():
        search_account(by=actor(Role.SUPPORT), email="searched@example.org")

    page = text_of(client_of_mailbox(person), "/account/uses/?purpose=support&category=account")
    assert "looked for your account by your email address" in page


def client_of_mailbox(user):
    from tests.accounts.people import client_of as signed_in

    return signed_in(user, "searched@example.org")


def test_own_uses_are_left_out_until_asked_for(client, buyer):
    client.get("/account/data/purchase/")

    own = entries(Event.DATA_OPENED, actor_id=buyer.subject_id) + entries(Event.DATA_COLLECTED, actor_id=buyer.subject_id)
    assert "<strong>You</strong>" not in text_of(client)
    assert number_of(client, "?who=you") == own
    assert number_of(client, "?who=everybody") == number_of(client) + own


def test_filters_narrow_by_kind_role_and_period(client, buyer):
    looked(buyer)
    looked(buyer, Role.FINANCE, Purpose.PAYMENT)

    assert number_of(client, "?who=finance") == number_of(client, "?who=support") == 1
    assert number_of(client, "?who=staff") == 2
    assert number_of(client, "?who=staff&category=purchase") == 2
    assert number_of(client, "?who=staff&category=delivery") == 0
    assert number_of(client, "?since=7&who=staff") == 2
    assert number_of(client, "?who=staff&purpose=payment") == 1


@pytest.mark.parametrize("query", ["?who=nobody", "?category=shoes", "?since=forever", "?extra=1"])
def test_unknown_filters_are_refused_and_list_nothing(client, query):
    page = text_of(client, f"/account/uses/{query}", status=422)

    assert "There is a problem" in page
    assert 'class="uses"' not in page


def test_pages_keep_the_filters(client, buyer):
    many(buyer, 60)

    first = text_of(client, "/account/uses/?who=job")
    older = re.search(r'rel="next" href="(\?who=job&amp;before=[0-9a-f-]+)"', first).group(1).replace("&amp;", "&")
    second = text_of(client, f"/account/uses/{older}")
    newer = re.search(r'rel="prev" href="(\?who=job&amp;after=[0-9a-f-]+)"', second).group(1).replace("&amp;", "&")

    assert second.count("<strong>Our computer") == 20
    assert entries_on(text_of(client, f"/account/uses/{newer}")) == entries_on(first)
    assert entries_on(first).isdisjoint(entries_on(second))


def entries_on(page):
    return set(re.findall(r'name="entry" value="([0-9a-f-]+)"', page))


@pytest.mark.parametrize("place", ["before=x", "after=1", "before=99-1'", "page=2"])
def test_unknown_places_are_refused(client, place):
    text_of(client, f"/account/uses/?{place}", status=422)


@pytest.mark.promise("USE-3")
def test_nobody_elses_uses_are_shown(client, buyer):
    stranger = make_customer()
    place(user=stranger)
    looked(stranger, reason="about a stranger")

    assert "about a stranger" not in text_of(client, "/account/uses/?who=everybody")


@pytest.mark.django_db(transaction=True)
def test_an_entry_says_when_it_is_sealed_in_the_log(partners):
    user = make_customer()
    packed(user=user)
    looked(user)
    client = client_of(user)
    assert "Sealed in our log within a minute" in text_of(client, "/account/uses/?who=staff")

    integrate_entries()

    assert "within a minute" not in text_of(client, "/account/uses/?who=staff")
    assert "Sealed in our log" in text_of(client, "/account/uses/?who=staff")


def many(user, number):
    with unit_of_work():
        record_many(
            NewEntry(
                event=Event.DATA_OPENED, by=JOB, subject=user.subject_id, purpose="order", categories=["purchase"],
            )
            for _ in range(number)
        )  # fmt: skip


def test_more_than_a_thousand_are_not_counted(client, buyer):
    many(buyer, 1_001)

    assert "More than 1000 entries" in text_of(client, "/account/uses/?who=job")


@pytest.mark.promise("RIGHTS-9")
def test_several_chosen_entries_go_into_one_complaint(client, buyer):
    looked(buyer, reason="the first reason")
    looked(buyer, reason="the second reason")
    chosen = entries_on(text_of(client, "/account/uses/?who=staff"))
    assert len(chosen) == 2

    page = text_of(client, "/account/messages/new/?" + "&".join(f"entry={id}" for id in chosen))

    assert page.count("Our staff: Support") == 2


# Proofs


def proven(user):
    """One look that is in the tree, and its entry."""
    looked(user)
    integrate_entries()
    return Entry.objects.filter(event=Event.DATA_OPENED, subject_id=user.subject_id, actor_role=Role.SUPPORT).latest("at")


def files_in(response):
    assert response.status_code == 200
    assert response["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response) if response.streaming else response.content))
    return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def seen_buyer(transactional_db, partners):
    user = make_customer()
    packed(user=user)
    return user


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize("address", ["/account/uses/", "/api/v1/data/uses/"])
def test_the_proof_of_an_entry_holds_it_with_all_that_checks_it(seen_buyer, address):
    entry = proven(seen_buyer)

    files = files_in(client_of(seen_buyer).get(f"{address}{entry.pk}/proof/"))

    opened = [json.loads(data) for name, data in files.items() if name.endswith(".json")]
    assert [one["content"]["id"] for one in opened] == [str(entry.pk)]
    assert {"checkpoint", "keys.txt", "verify_log.py"} <= set(files)
    assert entries(Event.PROOF_DOWNLOADED, subject_id=seen_buyer.subject_id, actor_id=seen_buyer.subject_id) == 1


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize("address", ["/account/uses/proofs/", "/api/v1/data/uses/proofs/"])
def test_the_proofs_of_the_list_follow_its_filters(seen_buyer, address):
    entry = proven(seen_buyer)
    files = files_in(client_of(seen_buyer).get(f"{address}?who=support"))

    assert [json.loads(data)["content"]["id"] for name, data in files.items() if name.endswith(".json")] == [str(entry.pk)]
    assert client_of(seen_buyer).get("/account/uses/proofs/?who=nobody").status_code == 404


@pytest.fixture
def five_looks(seen_buyer, monkeypatch):
    """Five of one person in the tree, where a download holds two; their ids, newest first."""
    for module in ("proofs", "views.uses"):
        monkeypatch.setattr(f"privacy.rights.{module}.PROOFS_AT_MOST", 2)
    for _ in range(5):
        looked(seen_buyer)
    integrate_entries()
    return list(uses_of(seen_buyer.subject_id).filter(actor_role=Role.SUPPORT).values_list("pk", flat=True))


def proven_in(response):
    """The ids of the entries in a download, newest first, and the moment of the oldest."""
    opened = [json.loads(data)["content"] for name, data in files_in(response).items() if name.endswith(".json")]
    opened.sort(key=lambda content: (content["at"], content["id"]), reverse=True)
    return [UUID(content["id"]) for content in opened], opened[-1]["at"]


@pytest.mark.promise("USE-3")
def test_the_proofs_of_a_long_list_come_by_going_on(seen_buyer, five_looks):
    client, query, found = client_of(seen_buyer), "?who=support", []
    for words in ("Proofs of the whole list", "Proofs from this page on", "Proofs from this page on"):
        page = text_of(client, f"/account/uses/{query}")
        assert words in page
        download = unescape(re.search(r'href="(/account/uses/proofs/[^"]*)"', page).group(1))
        found += proven_in(client.get(download))[0]
        further = re.search(r'href="([^"]+)#proofs-title"', page)
        assert bool(further) == ("A download holds 2 entries at most." in page) == (len(found) < 5)
        query = unescape(further.group(1)) if further else ""

    assert found == five_looks


@pytest.mark.promise("USE-3")
def test_the_proofs_of_a_long_list_come_to_a_program_by_their_moments(seen_buyer, five_looks):
    client, until, found = client_of(seen_buyer), {}, []
    for _ in range(4):  # each begins with the one that ended the last
        ids, oldest = proven_in(client.get("/api/v1/data/uses/proofs/", {"who": "support", **until}))
        found += [id for id in ids if id not in found]
        until = {"until": oldest}

    assert found == five_looks
    listed = client.get("/api/v1/data/uses/", {"who": "support", **until}).content.decode()
    assert [id for id in five_looks if str(id) in listed] == five_looks[-1:]


@pytest.mark.promise("USE-3")
def test_no_proof_of_anybody_elses_entry_nor_of_one_that_waits(seen_buyer):
    entry, stranger = proven(seen_buyer), make_customer()
    place(user=stranger)
    waiting = Entry.objects.filter(subject_id=stranger.subject_id, event=Event.DATA_COLLECTED).latest("at")
    client = client_of(stranger)

    assert client.get(f"/account/uses/{entry.pk}/proof/").status_code == 404
    assert client.get(f"/account/uses/{waiting.pk}/proof/").status_code == 404
    assert client.get(f"/account/uses/{uuid4()}/proof/").status_code == 404
    assert entries(Event.PROOF_DOWNLOADED) == 0


@pytest.mark.promise("USE-3")
def test_no_proof_leaves_without_an_entry(seen_buyer, monkeypatch):
    from privacy.rights import proofs

    entry = proven(seen_buyer)
    monkeypatch.setattr(proofs, "record", broken)

    with pytest.raises(NotRecordable):
        proofs.take_proof(by=seen_buyer.actor, subject_id=seen_buyer.subject_id, entry_id=entry.pk)


def broken(*args, **more):
    raise NotRecordable("broken")


def test_nobody_takes_the_proofs_of_somebody_else(buyer):
    with pytest.raises(NotYourData):
        take_proofs(by=actor(Role.PRIVACY_OFFICER), subject_id=buyer.subject_id, entries=uses_of(buyer.subject_id))


@pytest.mark.promise("USE-3")
def test_ten_thousand_entries_take_the_queries_of_ten(client, buyer):
    looked(buyer)
    client.get("/account/uses/")
    few = count_queries(lambda: client.get("/account/uses/"))

    many(buyer, 10_000)

    assert count_queries(lambda: client.get("/account/uses/")) <= few
    assert Entry.objects.filter(subject_id=buyer.subject_id).count() > 10_000


# Recipients


@pytest.mark.promise("USE-6")
def test_a_recipient_is_shown_with_fields_agreement_and_country(client, buyer):
    disclose_to(buyer)

    page = text_of(client, "/account/recipients/")

    assert "carrier-1" in page
    assert "in DE" in page
    assert "Street" in page
    assert "orders.orderaddress" not in page


@pytest.mark.promise("RIGHTS-2")
def test_follow_ups_say_whether_they_were_confirmed(client, buyer):
    disclose_to(buyer)
    with unit_of_work():
        tell_holders(by=JOB, subject_id=buyer.subject_id, kind=FollowUp.Kind.CORRECTION)
    assert "not confirmed yet" in text_of(client, "/account/recipients/")

    with unit_of_work():
        confirm_follow_up(by=actor(Role.PRIVACY_OFFICER), follow_up=FollowUp.objects.get(recipient__slug="carrier"))

    assert "confirmed on" in text_of(client, "/account/recipients/carrier/")


def test_each_time_is_listed_with_its_order(client, buyer):
    order = looked(buyer)
    disclosure = disclose_to(buyer)
    insert = {"subject": buyer.subject, "recipient": disclosure.recipient, "purpose": "dispatch", "categories": ["delivery"]}
    Disclosure.objects.create(**insert, fields=["orders.orderaddress.line1"], case_label="orders.order", case_id=order.pk)

    page = text_of(client, "/account/recipients/carrier/")

    assert f"/account/orders/{order.code}/" in page
    assert str(order.pk) not in page


@pytest.mark.parametrize("slug", ["nobody", "carrier"])
def test_a_recipient_of_nothing_is_not_found(db, partners, slug):
    assert client_of(make_customer()).get(f"/account/recipients/{slug}/").status_code == 404


def test_an_empty_list_says_so_plainly(db, partners):
    assert "Nobody outside has your data" in text_of(client_of(make_customer()), "/account/recipients/")


@pytest.mark.parametrize("address", ["/account/recipients/", "/account/recipients/carrier/"])
def test_recipients_take_the_same_queries_for_few_and_many(client, buyer, address):
    disclose_to(buyer)
    client.get(address)
    few = count_queries(lambda: client.get(address))
    for _ in range(30):
        disclose_to(buyer)
        disclose_to(buyer, "payments", ["financial"], Purpose.PAYMENT)

    assert count_queries(lambda: client.get(address)) <= few


@pytest.fixture
def analyst(db, partners):
    recipient = register_recipient(by=SETUP, slug="analyst", name="Analyst", kind=Recipient.Kind.PROCESSOR, country="FR")
    today = timezone.now().date()
    sign_agreement(
        by=SETUP, recipient=recipient, reference="A-1", purposes=[Purpose.IMPROVEMENT], categories=[Category.INTERACTION],
        signed_on=today, starts_on=today, ends_on=today + timedelta(days=30),
    )  # fmt: skip
    return recipient


@pytest.mark.promise("USE-4")
def test_an_approval_is_given_and_taken_back_with_one_click_each(client, buyer, analyst):
    assert "not approved" in text_of(client, "/account/recipients/")

    client.post("/account/recipients/analyst/approval/", {"purpose": "improvement", "decision": "give"})
    assert has_approved(buyer.subject_id, analyst, Purpose.IMPROVEMENT)
    client.post("/account/recipients/analyst/approval/", {"purpose": "improvement", "decision": "give"})
    assert Approval.objects.count() == 1
    client.post("/account/recipients/analyst/approval/", {"purpose": "improvement", "decision": "take_back"})

    assert not has_approved(buyer.subject_id, analyst, Purpose.IMPROVEMENT)
    assert "taken back" in text_of(client, "/account/recipients/")


@pytest.mark.parametrize(
    ("slug", "sent", "status"),
    [
        ("carrier", {"purpose": "dispatch", "decision": "give"}, 404),
        ("analyst", {"purpose": "order", "decision": "give"}, 404),
        ("nobody", {"purpose": "improvement", "decision": "give"}, 404),
        ("analyst", {"purpose": "improvement", "decision": "perhaps"}, 422),
        ("analyst", {"purpose": "improvement", "decision": "give", "extra": "1"}, 422),
    ],
)
def test_only_what_was_asked_can_be_approved(client, analyst, slug, sent, status):
    assert client.post(f"/account/recipients/{slug}/approval/", sent).status_code == status
    assert not Approval.objects.exists()


@pytest.mark.parametrize(
    "address", ["uses/", "recipients/", "recipients/carrier/", "correct/", "freeze/", "object/", "data/when/", "permissions/order/"]
)
def test_pages_lead_visitors_to_the_sign_in_and_take_the_right_method(client, buyer, address):
    assert Client().get(f"/account/{address}")["Location"].startswith("/sign-in/")
    assert client.get("/account/recipients/carrier/approval/").status_code == 405
    assert client.get(f"/account/requests/{uuid4()}/lift/").status_code == 405
