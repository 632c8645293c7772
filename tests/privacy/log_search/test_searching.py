"""Staff search the log by every filter; whoever searches is in the log; the auditor reads all and changes nothing."""

import re
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from audit.identifiers import uuid7
from audit.models import Entry
from audit.pages import count_up_to, numbers_by_week, page_of
from audit.record import NewEntry, record_many
from privacy.access.gate import unit_of_work
from privacy.alerts.key_change_watch import Unknown
from privacy.interface.charts import WEEKS
from privacy.log_search import actions
from privacy.log_search import pages as log_pages
from privacy.log_search.actions import KEPT_AT_MOST, drop_search, keep_search, read_entry, search_log
from privacy.log_search.errors import NameTaken, NotReader, TooManyKept
from privacy.log_search.models import KeptSearch
from privacy.log_search.pages import page_found
from privacy.log_search.queries import READERS
from privacy.log_search.searches import LogSearch, found_by
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.rights.uses import uses_of
from tests.accounts.people import entries, make_customer, make_staff, staff_client
from tests.orders.factories import count_queries
from tests.privacy.access.silences.test_silences import look

pytestmark = [pytest.mark.django_db, pytest.mark.promise("USE-3"), pytest.mark.promise("PROTECT-3")]

ADDRESS = "/admin/audit/entry/"
JOB = Actor.job("test")


def found(**filters):
    return list(found_by(LogSearch(**filters)))


def text_of(client, query="", status=200):
    page = client.get(f"{ADDRESS}{query}")
    assert page.status_code == status
    return re.sub(r"\s+", " ", page.content.decode())


def number_in(page):
    return int(re.search(r'id="found-title">(\d+)', page).group(1))


def many(number, **how):
    with unit_of_work():
        return record_many(
            NewEntry(event=Event.DATA_OPENED, by=JOB, purpose="order", categories=["purchase"], **how) for _ in range(number)
        )


def fraud_look(person):
    with unit_of_work():
        return record_many(
            [NewEntry(event=Event.DATA_OPENED, by=Actor(Role.FRAUD, id=uuid7()), subject=person.subject_id, purpose="fraud")]
        )


# What is found


def test_every_filter_narrows(buyer, agent):
    entry = look(buyer, agent)
    today = timezone.now().date()

    for filters in (
        {"person": buyer.subject_id}, {"actor": str(agent.subject_id)}, {"role": "support"}, {"purpose": "order"}, {"case": str(entry.case_id)},
        {"event": Event.DATA_OPENED}, {"outcome": "ok"}, {"since": today}, {"until": today},
    ):  # fmt: skip
        assert entry in found(**filters)
    for filters in (
        {"person": agent.subject_id}, {"actor": str(buyer.subject_id)}, {"role": "fraud"}, {"purpose": "payment"}, {"case": str(entry.pk)},
        {"event": Event.DATA_ERASED}, {"outcome": "break_glass"}, {"since": today + timedelta(days=1)}, {"until": today - timedelta(days=1)},
    ):  # fmt: skip
        assert entry not in found(**filters)


def test_a_case_is_found_by_its_code(buyer, agent):
    from orders.lifecycle.models import Order

    entry, order = look(buyer, agent), Order.objects.get(subject=buyer.subject)

    assert entry in found(case=order.code)
    assert entry in found(case=order.code.lower())
    assert found(case="SBNOTHING") == []


def test_refused_finds_every_refusal(buyer):
    refused = [
        ("privacy.data.refused", "role_denied"),
        ("privacy.disclosure.refused", "not_covered"),
        ("accounts.session.refused", "refused"),
        ("accounts.second_factor.refused", "refused"),
        ("accounts.account.locked_out", "refused"),
        ("accounts.mailbox.change_canceled", "refused"),
        ("orders.payment.refused", "ok"),
        ("orders.webhook.refused", "signature_invalid"),
        ("approvals.proposal.refused", "staff_export"),
    ]
    others = [("accounts.mailbox.change_canceled", "taken_back"), ("privacy.data.opened", "ok")]
    with unit_of_work():
        ids = record_many(
            [NewEntry(event=Event(name), by=JOB, subject=buyer.subject_id, outcome=outcome) for name, outcome in refused + others]
        )

    among = {(entry.event, entry.outcome) for entry in found(person=buyer.subject_id, outcome="refused") if entry.pk in ids}
    assert among == set(refused)


def test_a_job_is_found_by_its_name(reading, buyer):
    job = many(1, subject=buyer.subject_id)[0]
    other = record_by(Actor.job("purge"), buyer)

    assert [entry.pk for entry in found(person=buyer.subject_id, actor="test") if entry.pk in (job, other)] == [job]
    page = text_of(reading, f"{job}/change/")
    assert 'href="/admin/audit/entry/?actor=test"' in page
    assert str(job) in text_of(reading, "?actor=test")


def record_by(actor, person):
    with unit_of_work():
        return record_many([NewEntry(event=Event.DATA_OPENED, by=actor, subject=person.subject_id, purpose="order")])[0]


def test_changes_around_the_program_are_found_by_their_role(reading, buyer):
    entry = record_by(Unknown("postgres"), buyer)

    assert [found.pk for found in found(role="unknown", person=buyer.subject_id)] == [entry]
    page = text_of(reading, "?role=unknown")
    assert str(entry) in page
    assert "Unknown: around the program" in page


def test_a_search_survives_its_parameters(buyer):
    search = LogSearch(person=buyer.subject_id, role="job", since=timezone.now().date(), event=Event.DATA_OPENED)

    assert LogSearch.of(search.parameters) == search
    assert search.used == ["person", "role", "event", "since"]


# Pages, numbers, chart


def test_pages_hold_each_entry_once_while_others_come_in(buyer):
    many(25, subject=buyer.subject_id)
    wanted = Entry.objects.filter(subject_id=buyer.subject_id)
    before = list(wanted.order_by("-at", "-id"))
    first = page_of(wanted, size=10)
    many(7, subject=buyer.subject_id)

    seen, page = list(first.entries), first
    while page.older:
        page = page_of(wanted, size=10, before=page.older)
        seen += page.entries

    assert seen == before
    assert page_of(wanted, size=10, after=page_of(wanted, size=10, before=first.older).newer).entries == first.entries


def test_counting_stops_at_its_bound(buyer, monkeypatch):
    many(12, subject=buyer.subject_id)
    wanted = Entry.objects.filter(subject_id=buyer.subject_id, event=Event.DATA_OPENED, actor_role="job")
    assert count_up_to(wanted, 5) == 6
    assert sum(numbers_by_week(wanted, 5).values()) == 6
    monkeypatch.setattr(log_pages, "COUNTED_AT_MOST", 5)

    page = page_found(LogSearch(person=buyer.subject_id, event=Event.DATA_OPENED, role="job"))

    assert (page.number, page.has_more) == (5, True)


def test_the_chart_counts_by_week_and_role_within_the_period(buyer, agent):
    look(buyer, agent)
    many(3, subject=buyer.subject_id)
    today = timezone.now().date()

    chart = page_found(LogSearch(person=buyer.subject_id, event=Event.DATA_OPENED, since=today - timedelta(days=20))).chart

    numbers = {series.label: series.total for series in chart.series}
    assert numbers["Support"] == 1
    assert numbers["Automatic job"] >= 3
    assert len(chart.weeks) == WEEKS
    long_ago = page_found(LogSearch(since=today - timedelta(days=3000), until=today)).chart
    assert len(long_ago.weeks) == log_pages.WEEKS_AT_MOST


def test_what_has_no_index_is_looked_for_a_stretch_at_a_time(reading, buyer, monkeypatch):
    """Nothing is left out between the stretches, and a stretch without a hit says where to go on."""
    rare = many(2, subject=buyer.subject_id) + fraud_look(buyer) + many(7, subject=buyer.subject_id)
    wanted, seen = Entry.objects.filter(pk__in=rare, actor_role="fraud").get(), []
    monkeypatch.setattr(log_pages, "LOOKED_THROUGH", 5)
    monkeypatch.setattr(log_pages, "FURTHER", 3)

    search = LogSearch(role="fraud", since=timezone.now().date())
    found = page_found(search)
    assert (found.page.entries, found.number) == ([], 0)
    assert len(found.chart.weeks) == 1, "the chart says nothing of weeks that nobody looked through"
    while found.stretch.end:
        found = page_found(search, beyond=found.stretch.end)
        seen += found.page.entries

    assert seen == [wanted]
    page = text_of(reading, "?role=fraud")
    assert "There may be more before" in page
    further = text_of(reading, re.search(r'href="(\?role=fraud&(?:amp;)?beyond=[^"]+)">Look further', page).group(1).replace("&amp;", "&"))
    assert "Back to the newest" in further


def test_what_has_an_index_is_found_however_old():
    """Looked for in stretches, what is in the index would hide behind what is newer."""
    for filters in (
        {},
        {"person": uuid7()},
        {"actor": str(uuid7())},
        {"case": "SB1"},
        {"event": "x"},
        {"outcome": "refused"},
        {"until": date(2026, 1, 1)},
    ):
        assert LogSearch(**filters).is_found_at_once, filters
    for filters in ({"role": "job"}, {"actor": "purge"}, {"purpose": "order"}, {"outcome": "ok"}, {"person": uuid7(), "role": "job"}):
        assert not LogSearch(**filters).is_found_at_once, filters


def test_pages_of_a_stretch_stay_in_it(reading, buyer, monkeypatch):
    many(12, subject=buyer.subject_id)
    monkeypatch.setattr(log_pages, "LOOKED_THROUGH", 6)
    monkeypatch.setattr(log_pages, "FURTHER", 5)
    search = LogSearch(person=buyer.subject_id, role="job")
    newest = list(found_by(search))
    begun = page_found(search)
    monkeypatch.setattr(log_pages, "A_PAGE", 2)

    pages = [page_found(search, beyond=begun.stretch.end)]
    while pages[-1].page.older:
        pages.append(page_found(search, beyond=begun.stretch.end, before=pages[-1].page.older))

    assert begun.page.entries == newest[:6]
    assert [entry for found in pages for entry in found.page.entries] == newest[6:11]
    shown = text_of(reading, f"?person={buyer.subject_id}&role=job&beyond={begun.stretch.end}")
    assert re.search(rf'rel="next" href="[^"]*beyond={begun.stretch.end}[^"]*before=', shown)


# Who may, and what it leaves in the log


@pytest.mark.parametrize("role", sorted(READERS))
def test_a_search_is_recorded_by_the_names_of_its_filters(buyer, role):
    reader = make_staff(role, "reader@example.org", enrolled=False)

    search_log(by=reader.actor, search=LogSearch(person=buyer.subject_id, purpose="order"))

    entry = Entry.objects.get(event=Event.LOG_SEARCHED)
    assert (entry.actor_id, entry.subject_id, entry.fields) == (reader.subject_id, buyer.subject_id, ["person", "purpose"])
    assert entry.purpose == "security"
    assert entry in uses_of(buyer.subject_id), "the person reads who looked them up"


@pytest.mark.parametrize("role", [*sorted(STAFF_ROLES - READERS), Role.CUSTOMER, Role.JOB])
def test_others_read_nothing(buyer, role):
    other, entry = Actor(role, id=buyer.subject_id), Entry.objects.first()

    for act in (
        lambda: search_log(by=other, search=LogSearch()), lambda: read_entry(by=other, entry=entry),
        lambda: keep_search(by=other, search=LogSearch(role="job"), name="jobs"), lambda: drop_search(by=other, id=entry.pk),
    ):  # fmt: skip
        with pytest.raises(NotReader):
            act()
    assert entries(Event.LOG_SEARCHED) == 0


def test_nothing_is_shown_when_it_cannot_be_recorded(auditor, monkeypatch):
    def broken(*args, **more):
        raise NotRecordable("broken")

    monkeypatch.setattr(actions, "record", broken)

    for act in (
        lambda: search_log(by=auditor.actor, search=LogSearch()), lambda: read_entry(by=auditor.actor, entry=Entry.objects.first()),
        lambda: keep_search(by=auditor.actor, search=LogSearch(role="job"), name="jobs"),
    ):  # fmt: skip
        with pytest.raises(NotRecordable):
            act()
    assert not KeptSearch.objects.exists()


# The pages


def test_the_auditor_finds_a_person_and_is_recorded(reading, buyer, agent, auditor):
    entry = look(buyer, agent)

    page = text_of(reading, f"?person={buyer.subject_id}&role=support&event=privacy.data.opened")

    assert number_in(page) == 1
    assert str(entry.pk) in page
    assert entries(Event.LOG_SEARCHED, actor_id=auditor.subject_id, subject_id=buyer.subject_id) == 1
    shown = reading.get(f"{ADDRESS}{entry.pk}/change/").content.decode()
    assert str(entry.request_id or entry.pk) in shown
    assert entries(Event.LOG_ENTRY_READ, actor_id=auditor.subject_id, object_id=entry.pk, subject_id=buyer.subject_id) == 1


@pytest.mark.parametrize(
    "query",
    [
        "?person=x",
        "?actor=ann@example.org",
        "?role=nobody",
        "?event=nothing",
        "?outcome=a%20b",
        "?since=2026-02-02&until=2026-02-01",
        "?other=1",
        "?before=1",
        f"?before=x1-{32 * 'a'}",
    ],
)
def test_unknown_filters_are_refused_and_list_nothing(reading, query):
    page = text_of(reading, query, status=422)

    assert "found-title" not in page
    assert entries(Event.LOG_SEARCHED) == 0


def test_a_person_is_found_by_exact_mailbox_where_the_role_may(officer, reading):
    person = make_customer("searched@example.org")
    client = staff_client(officer, "asks@example.org")

    answer = client.post(ADDRESS, {"_find": "1", "email": "searched@example.org"})

    assert answer["Location"] == f"{ADDRESS}?person={person.subject_id}"
    assert entries(Event.ACCOUNT_SEARCHED, subject_id=person.subject_id, actor_id=officer.subject_id) == 1
    assert client.post(ADDRESS, {"_find": "1", "email": "nobody@example.org"})["Location"] == ADDRESS
    assert client.post(ADDRESS, {"_find": "1", "email": "nobody"}).status_code == 422
    assert "email" not in text_of(reading)
    assert reading.post(ADDRESS, {"_find": "1", "email": "searched@example.org"}).status_code == 403


def test_a_search_is_kept_and_dropped_by_its_owner_alone(reading, officer, auditor):
    address = f"{ADDRESS}?role=support&outcome=refused"
    assert reading.post(address, {"_keep": "1", "name": "refused to support"}).status_code == 302
    kept = KeptSearch.objects.get()
    assert (kept.owner_id, kept.parameters) == (auditor.subject_id, {"role": "support", "outcome": "refused"})
    assert "refused to support" in text_of(reading)
    other = staff_client(officer, "asks@example.org")
    assert "refused to support" not in text_of(other)
    other.post(ADDRESS, {"_drop": "1", "search": str(kept.pk)})
    assert KeptSearch.objects.exists()

    reading.post(ADDRESS, {"_drop": "1", "search": str(kept.pk)})

    assert not KeptSearch.objects.exists()
    assert (entries(Event.LOG_SEARCH_KEPT), entries(Event.LOG_SEARCH_DROPPED)) == (1, 1)


def test_a_kept_search_names_nobody_and_has_one_name(reading, auditor):
    address = f"{ADDRESS}?role=support"
    assert reading.post(address, {"_keep": "1", "name": "ann@example.org"}).status_code == 422
    assert reading.post(address, {"_keep": "1", "name": "support"}).status_code == 302
    assert "under this name already" in reading.post(address, {"_keep": "1", "name": "support"}).content.decode()
    with pytest.raises(NameTaken):
        keep_search(by=auditor.actor, search=LogSearch(role="job"), name="support")
    with pytest.raises(IntegrityError), transaction.atomic():
        KeptSearch.objects.create(owner_id=auditor.subject_id, name="support")


def test_only_so_many_searches_are_kept(auditor):
    for number in range(KEPT_AT_MOST):
        keep_search(by=auditor.actor, search=LogSearch(role="job"), name=f"search {number}")

    with pytest.raises(TooManyKept):
        keep_search(by=auditor.actor, search=LogSearch(role="job"), name="one more")


def test_the_auditor_changes_nothing(reading, buyer, agent):
    entry = look(buyer, agent)

    assert reading.get(f"{ADDRESS}add/").status_code == 403
    assert reading.post(f"{ADDRESS}{entry.pk}/change/", {"outcome": "x"}).status_code == 403
    assert reading.get(f"{ADDRESS}{entry.pk}/delete/").status_code == 403
    assert reading.post(ADDRESS, {"_other": "1"}).status_code == 403
    assert "Ask to withhold" not in reading.get(f"{ADDRESS}{entry.pk}/change/").content.decode()
    assert "signed bundle" not in text_of(reading, "?role=support")


def test_the_page_takes_the_same_queries_for_few_and_many(reading, buyer):
    many(3, subject=buyer.subject_id)
    text_of(reading)
    few = count_queries(lambda: text_of(reading, f"?person={buyer.subject_id}"))

    many(300, subject=buyer.subject_id)

    assert count_queries(lambda: text_of(reading, f"?person={buyer.subject_id}")) <= few
