"""The walk finds everything, joined, and knows when each thing goes."""

from datetime import UTC, datetime, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from orders.invoices.models import InvoiceParty
from orders.lifecycle.models import OrderAddress
from privacy.declarations.categories import Category, Scope
from privacy.declarations.lifetimes import Span
from privacy.retention import walker
from privacy.vault.fields import sealed_fields
from tests.orders.factories import count_queries, packed
from tests.privacy.rights.people import close_orders

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SPANS = st.builds(Span, years=st.integers(0, 12), months=st.integers(0, 30), days=st.integers(0, 400), to_year_end=st.booleans())


@pytest.mark.promise("CHANGE-3")
@given(start=MOMENTS, span=SPANS, now=MOMENTS)
def test_latest_start_is_never_early(start, span, now):
    if start < span.latest_start(now):
        assert span.end(start) <= now


@given(start=MOMENTS, span=SPANS)
def test_latest_start_is_at_most_a_year_end_late(start, span):
    late = timedelta(days=370 if span.to_year_end else 4)

    assert start < span.latest_start(span.end(start) + late)


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        ((2025, 1, 31), Span(months=1), (2025, 2, 28)),
        ((2024, 1, 31), Span(months=1), (2024, 2, 29)),
        ((2024, 2, 29), Span(years=1), (2025, 2, 28)),
        ((2025, 12, 31), Span(years=8, to_year_end=True), (2034, 1, 1)),
        ((2025, 1, 1), Span(years=8, to_year_end=True), (2034, 1, 1)),
    ],
)
def test_spans_end_by_the_calendar(start, span, end):
    assert span.end(datetime(*start, tzinfo=UTC)) == datetime(*end, tzinfo=UTC)


@pytest.mark.promise("RIGHTS-1")
def test_items_are_all_stored_values_but_credentials(person):
    found = {(item.record.pk, item.field.name) for category in Category for item in walker.items(person.subject_id, category)}

    stored = {
        (record.pk, field.name)
        for model, records in walker.records_of(person.subject_id)
        for record in records
        for field in sealed_fields(model)
        if getattr(record, field.name) is not None and not field.is_credential
    }
    assert found == stored
    assert sum(walker.counts(person.subject_id).values()) == len(stored)


def test_walking_the_records_joins_what_they_are_described_by(person):
    for _ in range(4):
        packed(user=person)
    for model, records in walker.records_of(person.subject_id):
        queries = count_queries(lambda model=model, records=records: [(r.describe(), model.lifetime.leaves_at(r)) for r in records])
        assert queries == 1, model


def test_next_leaving_is_the_first_of_its_category(person):
    close_orders(person, timedelta(days=3))
    held = walker.holdings(person.subject_id)
    address = OrderAddress.objects.get(subject=person.subject)

    assert walker.next_leaving(held, Category.DELIVERY) == address.order.closed_at + timedelta(days=30)


def test_next_leaving_waits_for_the_clock(person):
    assert walker.next_leaving(walker.holdings(person.subject_id), Category.DELIVERY) is None


def test_leavings_come_soonest_first_and_waiting_last(person):
    days = [leaving.on for leaving in walker.leavings(person.subject_id)]

    known = [day for day in days if day]
    assert known == sorted(known)
    assert days[len(known) :] == [None] * (len(days) - len(known))


def test_deletion_order_puts_children_first():
    order = walker.in_deletion_order()
    assert sorted(order, key=str) == sorted(walker.record_models(), key=str)
    for model in order:
        for relation in model._meta.related_objects:
            if relation.related_model in order:
                assert order.index(relation.related_model) < order.index(model)


def test_what_the_law_keeps_has_the_records_key():
    for model in filter(sealed_fields, walker.record_models()):
        assert {field.scope == Scope.RECORDS for field in sealed_fields(model)} == {walker.is_kept(model)}
    assert InvoiceParty in walker.kept_models()


def test_holdings_ask_once_a_model(person):
    assert count_queries(lambda: walker.holdings(person.subject_id)) == len(walker.record_models())


def test_expired_needs_the_whole_span(person):
    now = datetime.now(UTC)
    close_orders(person, timedelta(days=30))
    address = OrderAddress.objects.get(subject=person.subject)
    end = address.order.closed_at + relativedelta(days=30)

    assert not walker.expired(OrderAddress, end - timedelta(seconds=1)).exists()
    assert walker.expired(OrderAddress, max(end, now) + timedelta(seconds=1)).exists()
