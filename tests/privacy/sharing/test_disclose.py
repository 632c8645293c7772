"""`disclose()` is the only way out, and each refusal is recorded."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from audit.record import Reference
from privacy.access.errors import AccessDenied
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import withdraw_consent
from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.roles import Actor, Role
from privacy.sharing import actions, errors
from privacy.sharing.actions import confirm_follow_up, decide_approval, disclose, register_recipient, sign_agreement, tell_holders
from privacy.sharing.models import Agreement, Approval, Disclosure, FollowUp, Recipient
from privacy.sharing.queries import disclosures_about, holders_of, open_follow_ups
from privacy.vault.identifiers import uuid7
from tests.privacy.vault.fixtures import entries
from tests.privacy.vault.records import Note, new_customer, person, staff

JOB = Actor.job("tests")
OFFICER = staff(Role.PRIVACY_OFFICER)
PARCEL = Reference("tests.parcel", uuid7())

actions.register_takers(PARCEL.label, lambda parcel_id: {"parcels"})


def partner(kind=Recipient.Kind.CARRIER, purposes=(Purpose.DISPATCH,), categories=(Category.DELIVERY,), days=(-10, 10), slug="parcels"):
    recipient = register_recipient(by=OFFICER, slug=slug, name="Parcels Ltd", kind=kind, country="DE")
    if days is not None:
        today = timezone.now().date()
        starts_on, ends_on = (today + timedelta(days=day) for day in days)
        sign_agreement(
            by=OFFICER, recipient=recipient, reference="A-1", purposes=list(purposes), categories=list(categories),
            signed_on=starts_on, starts_on=starts_on, ends_on=ends_on,
        )  # fmt: skip
    return recipient


@pytest.fixture
def addressed(policy, note_tables):
    with unit_of_work():
        subject = new_customer()
        with open_access(by=person(subject), purpose=Purpose.RIGHTS, subject=subject, writes=Event.DATA_COLLECTED):
            note = Note.objects.create(subject=subject, name="Ada Lovelace", street="Main Street 1")
    return Note.objects.get(pk=note.pk)


def send_street(note, **more):
    how = {
        "by": JOB,
        "recipient": "parcels",
        "purpose": Purpose.DISPATCH,
        "subject": note.subject,
        "values": {"street": note.street},
        "case": PARCEL,
    }
    with unit_of_work():
        return disclose(**{**how, **more})


def refused(note, code, event=Event.DISCLOSURE_REFUSED, **more):
    with pytest.raises(AccessDenied) as refusal:
        send_street(note, **more)

    assert refusal.value.code == code
    recorded = Entry.objects.filter(event__in=[Event.DISCLOSURE_REFUSED, Event.DATA_REFUSED])
    assert [(entry.event, entry.outcome, entry.subject_id) for entry in recorded] == [(event, code, note.subject_id)]
    assert [entry.purpose for entry in recorded] == ["dispatch"]
    assert all(entry.categories for entry in recorded)
    assert not Disclosure.objects.exists()
    assert not Entry.objects.filter(event=Event.DATA_DISCLOSED).exists()


@pytest.mark.promise("USE-4")
def test_it_returns_the_values_and_enters_what_went_out(addressed):
    recipient = partner()
    plain = send_street(addressed, values={"street": addressed.street, "second": None})

    assert plain == {"street": "Main Street 1", "second": ""}
    disclosure = Disclosure.objects.get()
    assert (disclosure.recipient, disclosure.categories, disclosure.fields) == (recipient, ["delivery"], ["privacy.note.street"])
    assert (disclosure.subject_id, disclosure.case_id, disclosure.agreement.reference) == (addressed.subject_id, PARCEL.id, "A-1")
    (entry,) = entries(Event.DATA_DISCLOSED, addressed.subject)
    assert (entry.object_id, entry.categories, entry.fields) == (disclosure.pk, ["delivery"], ["privacy.note.street"])
    assert len(entries(Event.DATA_OPENED, addressed.subject)) == 1
    assert list(disclosures_about(addressed.subject_id)) == [disclosure]


@pytest.mark.promise("USE-4")
def test_somebody_unknown_receives_nothing(addressed):
    refused(addressed, "recipient_unknown")


@pytest.mark.promise("USE-5")
@pytest.mark.parametrize("days", [None, (-20, -1), (1, 20)], ids=["none", "lapsed", "not yet"])
def test_without_an_agreement_in_force_nothing_goes(addressed, days):
    partner(days=days)

    refused(addressed, "agreement_missing")


@pytest.mark.parametrize("days", [(0, 10), (-10, 0)], ids=["first day", "last day"])
def test_an_agreement_holds_on_its_first_and_last_day(addressed, days):
    partner(days=days)

    assert send_street(addressed) == {"street": "Main Street 1"}


@pytest.mark.promise("USE-4")
@pytest.mark.parametrize("terms", [{"purposes": [Purpose.RETURNS]}, {"categories": [Category.PURCHASE]}], ids=["purpose", "category"])
def test_what_the_agreement_does_not_cover_is_refused(addressed, terms):
    partner(**terms)

    refused(addressed, "not_covered")


@pytest.mark.promise("USE-5")
def test_of_several_agreements_the_one_that_covers_it_counts(addressed):
    recipient = partner(purposes=[Purpose.RETURNS])
    today = timezone.now().date()
    covering = sign_agreement(
        by=JOB, recipient=recipient, reference="second", purposes=[Purpose.DISPATCH], categories=[Category.DELIVERY],
        signed_on=today, starts_on=today, ends_on=today,
    )  # fmt: skip

    send_street(addressed)

    assert Disclosure.objects.get(subject=addressed.subject).agreement == covering


@pytest.mark.promise("USE-4")
def test_one_value_outside_the_agreement_refuses_all(addressed):
    partner()

    refused(addressed, "not_covered", values={"street": addressed.street, "name": addressed.name})

    entry = Entry.objects.get(event=Event.DISCLOSURE_REFUSED)
    assert (entry.categories, entry.fields) == (["account", "delivery"], ["privacy.note.name", "privacy.note.street"])


@pytest.mark.promise("USE-4")
def test_a_category_outside_the_purpose_is_refused_by_the_gate(addressed):
    partner(categories=list(Category))

    refused(addressed, "category_denied", event=Event.DATA_REFUSED, values={"name": addressed.name})


@pytest.mark.promise("RIGHTS-4")
def test_without_the_persons_consent_nothing_goes(addressed):
    partner()
    with unit_of_work():
        withdraw_consent(by=person(addressed.subject), subject=addressed.subject, purpose=Purpose.DISPATCH, locale="en")

    refused(addressed, "ground_missing", event=Event.DATA_REFUSED)


@pytest.mark.promise("USE-4")
def test_somebody_elses_value_is_refused(addressed):
    partner()
    with unit_of_work():
        other = new_customer()

    with pytest.raises(AccessDenied) as refusal:
        send_street(addressed, subject=other)

    assert refusal.value.code == "other_subject"
    assert not Disclosure.objects.exists()


@pytest.mark.promise("USE-4")
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.SUPPORT])
def test_staff_whose_role_does_not_open_it_cannot_send_it(addressed, role):
    partner()

    refused(addressed, "role_denied", event=Event.DATA_REFUSED, by=staff(role), reason="why not")


# Approval


@pytest.mark.promise("USE-4")
@pytest.mark.parametrize("kind", [Recipient.Kind.PROCESSOR, Recipient.Kind.PAYMENT, Recipient.Kind.AUTHORITY])
def test_a_recipient_that_the_purpose_does_not_name_needs_the_persons_approval(addressed, kind):
    recipient = partner(kind=kind)
    refused(addressed, "approval_missing")

    with unit_of_work():
        decide_approval(
            by=person(addressed.subject), subject=addressed.subject, recipient=recipient, purpose=Purpose.DISPATCH, is_given=True
        )
    assert send_street(addressed) == {"street": "Main Street 1"}

    with unit_of_work():
        decide_approval(
            by=person(addressed.subject), subject=addressed.subject, recipient=recipient, purpose=Purpose.DISPATCH, is_given=False
        )
    with pytest.raises(errors.ApprovalMissing):
        send_street(addressed)


@pytest.mark.promise("USE-4")
def test_an_approval_is_for_one_recipient_one_purpose_and_one_person(addressed):
    partner(kind=Recipient.Kind.PROCESSOR)
    other_partner = partner(kind=Recipient.Kind.PROCESSOR, slug="others")
    with unit_of_work():
        other = new_customer()
        decide_approval(
            by=person(other), subject=other, recipient=Recipient.objects.get(slug="parcels"), purpose=Purpose.DISPATCH, is_given=True
        )
        decide_approval(
            by=person(addressed.subject), subject=addressed.subject, recipient=other_partner, purpose=Purpose.DISPATCH, is_given=True
        )
        decide_approval(
            by=person(addressed.subject),
            subject=addressed.subject,
            recipient=Recipient.objects.get(slug="parcels"),
            purpose=Purpose.ORDER,
            is_given=True,
        )

    refused(addressed, "approval_missing")


@pytest.mark.promise("USE-4")
@pytest.mark.parametrize("by", [OFFICER, JOB], ids=["officer", "job"])
def test_nobody_approves_for_somebody_else(addressed, by):
    recipient = partner()

    with pytest.raises(errors.ApprovalMissing), unit_of_work():
        decide_approval(by=by, subject=addressed.subject, recipient=recipient, purpose=Purpose.DISPATCH, is_given=True)

    assert not Approval.objects.exists()


@pytest.mark.promise("USE-4")
def test_only_fulfillment_shipping_payment_and_duties_go_out_without_asking():
    """The column "may go out without further approval" of the published table."""
    free = {purpose: set(rule.freely_to) for purpose, rule in PURPOSES.items() if rule.freely_to}

    assert free == {
        Purpose.PAYMENT: {"payment"},
        Purpose.DISPATCH: {"seller", "carrier"},
        Purpose.RETURNS: {"payment", "seller", "carrier"},
        Purpose.RIGHTS: {"holder"},
        Purpose.LEGAL: {"authority"},
        Purpose.SECURITY: {"authority"},
    }


@pytest.mark.promise("USE-6")
def test_for_the_persons_rights_only_those_who_hold_something_are_told(addressed):
    terms = {"purposes": [Purpose.DISPATCH, Purpose.RIGHTS], "categories": [Category.DELIVERY]}
    partner(**terms)
    partner(**terms, slug="others")
    send_street(addressed)
    correction = {"by": person(addressed.subject), "purpose": Purpose.RIGHTS}

    assert send_street(addressed, **correction) == {"street": "Main Street 1"}
    with pytest.raises(errors.ApprovalMissing):
        send_street(addressed, **correction, recipient="others")


# All or nothing


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("USE-3")
def test_when_the_event_cannot_be_written_nothing_goes(addressed, owner_connection):
    partner()
    with owner_connection("default") as owner, owner.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no entry'; END $$;"
            f"CREATE TRIGGER no_entry BEFORE INSERT ON audit_entry FOR EACH ROW WHEN (NEW.event = '{Event.DATA_DISCLOSED}') EXECUTE FUNCTION no_entry()"
        )
    plain = None

    with pytest.raises(DatabaseError):
        plain = send_street(addressed)

    assert plain is None
    assert not Disclosure.objects.exists()
    assert not Entry.objects.filter(event=Event.DATA_OPENED).exists()


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize("table", ["privacy_disclosure", "privacy_approval"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_went_out_cannot_be_changed_or_removed(addressed, table, statement):
    partner()
    send_street(addressed)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_registering_and_signing_write_one_event_each(policy):
    recipient = partner()

    assert Entry.objects.filter(event=Event.RECIPIENT_REGISTERED, object_id=recipient.pk).count() == 1
    assert Entry.objects.filter(event=Event.AGREEMENT_SIGNED, object_id=recipient.agreements.get().pk).count() == 1


@pytest.mark.promise("PROTECT-2")
def test_a_partners_secret_is_sealed_in_the_table_and_reads_back(policy):
    recipient = register_recipient(
        by=OFFICER, slug="p", name="P", kind=Recipient.Kind.CARRIER, country="DE", webhook_secret="a-long-secret"
    )

    with connection.cursor() as cursor:
        cursor.execute("SELECT webhook_secret FROM privacy_recipient WHERE id = %s", [recipient.pk])
        assert b"secret" not in bytes(cursor.fetchone()[0])
    assert Recipient.objects.get(pk=recipient.pk).webhook_secret == "a-long-secret"


# Follow-ups


@pytest.mark.promise("USE-6")
def test_everybody_who_received_something_is_told_once(addressed, django_assert_num_queries):
    holder, stranger = partner(), partner(slug="others")
    send_street(addressed)
    send_street(addressed)

    with unit_of_work():
        (follow_up,) = tell_holders(by=OFFICER, subject_id=addressed.subject_id, kind=FollowUp.Kind.ERASURE)
        (again,) = tell_holders(by=OFFICER, subject_id=addressed.subject_id, kind=FollowUp.Kind.ERASURE)

    assert holders_of(addressed.subject_id) == [holder]
    assert stranger not in holders_of(addressed.subject_id)
    assert (follow_up.recipient, follow_up.kind, again.pk) == (holder, "erasure", follow_up.pk)
    assert list(open_follow_ups()) == [follow_up]


@pytest.mark.promise("USE-6")
def test_a_confirmed_follow_up_is_closed_once_and_names_who_entered_it(addressed):
    partner()
    send_street(addressed)
    with unit_of_work():
        (follow_up,) = tell_holders(by=OFFICER, subject_id=addressed.subject_id, kind=FollowUp.Kind.CORRECTION)

        confirm_follow_up(by=OFFICER, follow_up=follow_up)
        confirm_follow_up(by=OFFICER, follow_up=follow_up)

    follow_up.refresh_from_db()
    assert follow_up.confirmed_by == OFFICER.id
    assert not open_follow_ups().exists()
    assert len(entries(Event.FOLLOW_UP_CONFIRMED, addressed.subject)) == 1


def test_a_second_correction_after_a_confirmed_one_is_a_new_follow_up(addressed):
    partner()
    send_street(addressed)
    with unit_of_work():
        (first,) = tell_holders(by=OFFICER, subject_id=addressed.subject_id, kind=FollowUp.Kind.CORRECTION)
        confirm_follow_up(by=OFFICER, follow_up=first)
        (second,) = tell_holders(by=OFFICER, subject_id=addressed.subject_id, kind=FollowUp.Kind.CORRECTION)

    assert first.pk != second.pk


# A carrier or seller receives what belongs to a parcel of its own


@pytest.mark.promise("USE-6")
@pytest.mark.parametrize("case", [None, Reference("tests.letter", uuid7())], ids=["no case", "no parcel"])
@pytest.mark.parametrize("kind", [Recipient.Kind.CARRIER, Recipient.Kind.SELLER])
def test_a_carrier_or_seller_receives_nothing_without_a_parcel(addressed, kind, case):
    partner(kind=kind)

    refused(addressed, "not_their_case", case=case)


@pytest.mark.promise("USE-6")
def test_a_carrier_receives_nothing_of_a_parcel_that_another_one_brings_or_that_has_arrived(addressed, monkeypatch):
    partner()
    monkeypatch.setitem(actions._takers, PARCEL.label, lambda parcel_id: {"another"})
    refused(addressed, "not_their_case")

    monkeypatch.setitem(actions._takers, PARCEL.label, lambda parcel_id: set())
    with pytest.raises(errors.NotTheirCase):
        send_street(addressed)


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("USE-5")
@pytest.mark.parametrize("change", [{"ends_on": "2099-01-01"}, {"purposes": ["fraud"]}])
def test_what_was_signed_cannot_be_changed(policy, change):
    with unit_of_work():
        partner()

    with pytest.raises(DatabaseError), transaction.atomic():
        Agreement.objects.update(**change)
