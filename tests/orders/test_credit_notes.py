"""Each refund corrects the invoice once, in a series without gaps, to the cent at each tax rate."""

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audit.events import Event
from orders.invoices.credits import issue_credit_note, split_credit
from orders.invoices.models import CreditNote, CreditNoteParty, CreditNoteRate, Invoice, InvoiceParty
from orders.lifecycle.actions import cancel_order
from orders.lifecycle.timeline import lock_order
from orders.money import contained_tax
from orders.payments.actions import refund_order
from orders.payments.models import Refund
from orders.withdrawals.actions import receive_goods, refund_withdrawal
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.categories import Scope
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.vault.fields import sealed_fields
from tests.guests import guest_client
from tests.orders.factories import (
    SETUP,
    UNWRITABLE,
    client_of,
    delivered,
    entries,
    handed_over,
    kinds,
    make_customer,
    packed,
    place_as_guest,
    received,
    settle,
)
from tests.orders.test_races import at_once
from tests.orders.test_withdrawals import declare, do, one_of, two_kinds

pytestmark = pytest.mark.django_db


def refund(order, amount, by=SETUP):
    with unit_of_work():
        refund_order(by=by, order=order, amount=amount, reason="goodwill")
    return settle(order, "refund")


def test_refund_issues_one_credit_note():
    order = handed_over()

    refund(order, 700)

    note = CreditNote.objects.get()
    assert (note.total, note.currency, note.invoice) == (700, "EUR", order.invoice)
    assert note.label == f"C{timezone.localtime().year}-000001"
    assert kinds(order)[-1] == "credited"
    assert entries(Event.CREDIT_NOTE_ISSUED, object_id=note.pk, subject_id=order.subject_id) == 1


def test_cancellation_after_the_payment_was_taken_issues_a_credit_note():
    order = packed()
    with unit_of_work():
        cancel_order(by=SETUP, order=order)
    settle(order, "refund")

    note = CreditNote.objects.get()
    assert (note.total, note.tax_total) == (order.total, order.tax_total)


def test_money_let_go_before_it_was_taken_needs_no_credit_note():
    order = received()
    with unit_of_work():
        cancel_order(by=SETUP, order=order)
    settle(order, "void")

    assert not CreditNote.objects.exists()


@pytest.mark.promise("PROTECT-4")
def test_credit_note_copies_the_billed_party_in_the_records_scope():
    order = handed_over()
    refund(order, 100)

    party = CreditNoteParty.objects.get(subject=order.subject_id)
    with unit_of_work(), open_access(by=Actor.job("test"), purpose=Purpose.LEGAL, subject=order.subject_id) as grant:
        assert grant.open(party.name) == "Marker Addressee"
        assert grant.open(party.address) == "Markerstreet 7\n10115 Markertown\nGermany"
    assert {field.scope for field in sealed_fields(CreditNoteParty)} == {Scope.RECORDS}


def test_credit_note_without_a_party_left_names_nobody():
    order = handed_over()
    InvoiceParty.objects.filter(invoice=order.invoice).delete()

    refund(order, 100)

    assert CreditNote.objects.count() == 1
    assert not CreditNoteParty.objects.exists()


def test_numbers_have_no_gaps():
    for _ in range(3):
        refund(handed_over(), 100)

    assert list(CreditNote.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3]
    assert set(Invoice.objects.values_list("number", flat=True)) == {1, 2, 3}


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gaps_when_money_comes_back_at_once(partners):
    orders = [handed_over() for _ in range(5)]
    for order in orders:
        with unit_of_work():
            refund_order(by=SETUP, order=order, amount=100, reason="goodwill")

    at_once(*(lambda order=order: settle(order, "refund") for order in orders))

    assert sorted(CreditNote.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5]


def test_issue_credit_note_twice_is_one():
    order = refund(handed_over(), 100)
    with unit_of_work():
        again = issue_credit_note(lock_order(order.pk), Refund.objects.get(), by=SETUP)

    assert again == CreditNote.objects.get()


def test_refund_changes_nothing_if_the_event_cannot_be_written():
    order = handed_over()
    with unit_of_work():
        refund_order(by=SETUP, order=order, amount=100, reason="goodwill")

    with pytest.raises(Exception, match="short token"), unit_of_work():
        issue_credit_note(lock_order(order.pk), Refund.objects.get(), by=UNWRITABLE)

    assert not CreditNote.objects.exists()


def test_withdrawal_of_a_book_credits_its_own_rate():
    order = delivered(items=two_kinds())
    book = order.lines.get(tax_rate=700)
    withdrawal = do_refund(declare(order, quantities={book.pk: 1}))

    rate = CreditNoteRate.objects.get(credit_note__refund=withdrawal.refund)
    assert (rate.tax_rate, rate.gross, rate.tax) == (700, 3000, 196)


def do_refund(withdrawal):
    withdrawal = do(refund_withdrawal, do(receive_goods, withdrawal, to_stock=True))
    settle(withdrawal.order, "refund")
    return withdrawal


def test_credit_notes_of_a_whole_order_sum_to_its_invoice_at_each_rate():
    order = delivered(items=two_kinds())
    refund(order, 333)
    for quantities in (one_of(order), None):
        do_refund(declare(order, quantities=quantities))

    credited = {rate: sums_of(order, rate) for rate in (1900, 700)}
    billed = {rate: billed_at(order, rate) for rate in (1900, 700)}
    assert credited == billed
    assert sum(note.tax_total for note in CreditNote.objects.all()) == order.tax_total


RATES = st.sampled_from([0, 500, 700, 1900, 2300])


@given(st.dictionaries(RATES, st.integers(1, 50_000), min_size=1), st.lists(st.integers(1, 20_000), max_size=6), st.data())
def test_split_credit_stays_within_what_is_billed_and_loses_no_cent(billed, amounts, data):
    """Any sequence of credits, at the end of which everything is credited."""
    left = {rate: (gross, contained_tax(gross, rate)) for rate, gross in billed.items()}
    total = dict.fromkeys(billed, (0, 0))
    for amount in [*amounts, sum(billed.values())]:
        amount = min(amount, sum(gross for gross, _ in left.values()))
        weights = data.draw(st.dictionaries(st.sampled_from(sorted(billed)), st.integers(1, 9000)))
        for rate, (gross, tax) in split_credit(amount, left, weights).items():
            left[rate] = (left[rate][0] - gross, left[rate][1] - tax)
            total[rate] = (total[rate][0] + gross, total[rate][1] + tax)
        assert all(gross >= 0 and tax >= 0 for gross, tax in left.values())

    assert total == {rate: (gross, contained_tax(gross, rate)) for rate, gross in billed.items()}


def sums_of(order, rate):
    rows = CreditNoteRate.objects.filter(credit_note__invoice__order=order, tax_rate=rate)
    return sum(row.gross for row in rows), sum(row.tax for row in rows)


def billed_at(order, rate):
    lines = [line for line in order.lines.all() if line.tax_rate == rate]
    return sum(line.total + line.shipping_share for line in lines), sum(line.tax for line in lines)


# The page


@pytest.mark.promise("RIGHTS-6")
def test_page_shows_each_credit_note_to_its_person_alone():
    user = make_customer()
    order = refund(handed_over(user=user), 700)
    address = f"/account/orders/{order.code}/credit-notes/"

    page = client_of(user).get(address).content.decode()

    for said in (CreditNote.objects.get().label, order.invoice.label, "Marker Addressee", "€7.00"):
        assert said in page
    assert client_of(make_customer()).get(address).status_code == 404
    assert address in client_of(user).get(order.get_absolute_url()).content.decode()


def test_page_of_an_order_without_credit_notes_says_so():
    order = place_as_guest()

    page = guest_client(order.person).get(f"/account/orders/{order.code}/credit-notes/")

    assert page.status_code == 200
    assert "No money of this order has gone back" in page.content.decode()
