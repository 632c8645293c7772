"""The whole story, told once by a loader that is killed on the way: every list and chart has something to show."""

import itertools
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.utils import timezone

from audit.actions import integrate_entries, verify_log
from audit.events import Event
from audit.models import Entry, Verification
from marketplace.accounts.models import User
from marketplace.database_roles import MAIN_OWNER
from marketplace.demo.accounts import DEMO_ACCOUNTS
from marketplace.demo.conversations import all_talks
from marketplace.demo.people import GUESTS, PEOPLE
from orders.catalogue.models import StockItem
from orders.invoices.models import Invoice
from orders.lifecycle.books import orders_that_differ, overpromised_stock, payments_that_differ
from orders.lifecycle.models import Order, OrderState
from orders.parcels.models import Parcel, ParcelState
from orders.payments.models import Payment, PaymentState, Refund
from orders.withdrawals.models import ContractWithdrawal
from privacy.access.models import Opening
from privacy.access.oversight.models import Review
from privacy.access.oversight.queries import open_reviews
from privacy.complaints.models import Ticket
from privacy.consent.models import ConsentEntry
from privacy.jobs.actions import job_models
from privacy.jobs.models import Job
from privacy.policy.models import PolicyVersion
from privacy.policy.roles import STAFF_ROLES, Role
from privacy.retention.models import PurgeRun
from privacy.rights.models import Request
from privacy.rights.queries import overdue_requests
from privacy.sharing.models import Disclosure, FollowUp
from privacy.vault.models import Subject, SubjectKey
from privacy.vault.queries import key_ages
from tests.databases import slot_environment
from tests.journeys.test_canary import _dumps, _nothing_in
from tests.settings import ROOT

LOADER = [sys.executable, str(ROOT / "manage.py"), "load_demo"]
LIMIT = 900  # seconds, on a machine that is busy with other tests


@pytest.fixture
def no_policy_yet(transactional_db, owner_connection):
    """A database as migrations leave it: the story begins with the site's own set-up."""
    connection = owner_connection()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only' AND tgrelid::regclass::text LIKE 'privacy_%'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        cursor.execute("TRUNCATE privacy_policyversion CASCADE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")


def load_and_kill_at(chapter: str) -> None:
    environment = slot_environment(MARKETPLACE_DB_ROLE="owner")
    with subprocess.Popen(LOADER, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as loader:
        for line in loader.stdout:
            if line.startswith(chapter):
                os.kill(loader.pid, signal.SIGKILL)
                return
    raise AssertionError(f"the loader ended with {loader.returncode} before {chapter}")


def load() -> str:
    result = subprocess.run(
        LOADER, env=slot_environment(MARKETPLACE_DB_ROLE="owner"), cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.promise("PROTECT-1")
@pytest.mark.promise("USE-3")
def test_the_whole_story_is_told_once_and_holds(no_policy_yet, servers):
    load_and_kill_at("25 of")
    assert re.search(r"(\d+) of \1 chapters told\n\Z", load())
    told = Entry.objects.filter(event=Event.STORY_TOLD)
    assert load() == ""
    assert told.values("outcome").annotate(times=Count("id")).filter(times__gt=1).count() == 0

    people_are_there()
    orders_are_in_every_state()
    books_add_up()
    tickets_are_in_every_state()
    requests_are_of_every_kind()
    looks_wait_for_review()
    charts_have_something_to_show()
    nothing_is_left_undone()
    the_log_holds()
    keys_are_as_old_as_they_are()
    nothing_is_stored_in_clear(servers)


def keys_are_as_old_as_they_are():
    assert SubjectKey.objects.filter(created_at__lt=timezone.now() - timedelta(days=1)).count() == 0
    assert not key_ages().is_overdue


def people_are_there():
    assert User.objects.filter(role=Role.CUSTOMER).count() == len(PEOPLE)
    assert set(User.objects.exclude(role=Role.CUSTOMER).values_list("role", flat=True)) == STAFF_ROLES
    assert {account.role for account in DEMO_ACCOUNTS} >= STAFF_ROLES
    assert Order.objects.filter(is_guest=True).count() == len(GUESTS)
    most = Order.objects.values("subject").annotate(number=Count("id")).order_by("-number").first()
    assert 20 < most["number"] <= 40


def orders_are_in_every_state():
    assert set(Order.objects.values_list("state", flat=True)) == set(OrderState)
    assert set(Parcel.objects.values_list("state", flat=True)) == set(ParcelState)
    assert set(Payment.objects.values_list("state", flat=True)) == set(PaymentState)
    assert Refund.objects.filter(reason="damaged").exists()
    assert ContractWithdrawal.objects.filter(goods_back_at=None).exists()
    assert ContractWithdrawal.objects.exclude(refund=None).exists()
    ages = [timezone.now() - placed_at for placed_at in Order.objects.values_list("placed_at", flat=True)]
    assert min(ages).total_seconds() < 3600
    assert max(ages).days > 1000


def books_add_up():
    assert (orders_that_differ(), payments_that_differ(), overpromised_stock()) == (0, 0, 0)
    moved = Coalesce(Sum("product__movements__change"), 0)
    assert not StockItem.objects.annotate(moved=moved).exclude(moved=F("on_hand")).exists()
    for series, invoices in itertools.groupby(Invoice.objects.order_by("series", "number"), lambda invoice: invoice.series):
        moments = [(invoice.number, invoice.issued_at) for invoice in invoices]
        assert [number for number, _ in moments] == list(range(1, len(moments) + 1)), series
        assert [at for _, at in moments] == sorted(at for _, at in moments), series


def tickets_are_in_every_state():
    assert set(Ticket.objects.values_list("state", flat=True)) == set(Ticket.State)
    assert set(Ticket.objects.values_list("kind", flat=True)) == set(Ticket.Kind)
    assert set(Ticket.objects.exclude(outcome="").values_list("outcome", flat=True)) == set(Ticket.Outcome)
    assert Ticket.objects.filter(state=Ticket.State.OPEN, due_at__lt=timezone.now()).count() >= 2


def looks_wait_for_review():
    assert open_reviews().filter(cause=Review.Cause.SAMPLE).exists()
    assert Review.objects.exclude(reviewed_at=None).exists()


def requests_are_of_every_kind():
    assert set(Request.objects.values_list("kind", flat=True)) == set(Request.Kind)
    states = set(Request.objects.values_list("state", flat=True))
    assert states == set(Request.State) - {Request.State.RUNNING}
    assert overdue_requests().exists()
    assert Subject.objects.exclude(erased_at=None).count() == 2
    assert FollowUp.objects.exclude(confirmed_at=None).exists()


def charts_have_something_to_show():
    months = Opening.objects.annotate(month=TruncMonth("opened_at")).values("month").annotate(number=Count("id"))
    assert len([month for month in months if month["number"] >= 3]) >= 6
    assert Opening.objects.values("purpose").distinct().count() >= 4
    assert Entry.objects.filter(event=Event.DATA_REFUSED, actor_role__in=STAFF_ROLES).count() >= 10
    disclosed = Counter(Disclosure.objects.values_list("recipient__slug", flat=True))
    assert set(disclosed) == {"payments", "carrier"}
    assert min(disclosed.values()) > 20
    assert PurgeRun.objects.filter(result=PurgeRun.Result.CLEAN).count() >= 20
    assert Verification.objects.filter(result=Verification.Result.OK).count() >= 10
    assert ConsentEntry.objects.filter(decision=ConsentEntry.Decision.WITHDRAWN).count() >= 5
    assert PolicyVersion.objects.get(number=1).effective_at < timezone.now() - timedelta(days=1000)


def nothing_is_left_undone():
    left = {model.__name__: model._base_manager.filter(state__in=Job.OPEN).count() for model in job_models()}
    assert not any(left.values()), left


def the_log_holds():
    told = Entry.objects.exclude(db_role__in=["market_gate", "market_worker"])
    assert set(told.values_list("db_role", flat=True)) == {MAIN_OWNER}
    assert told.filter(at__gt=timezone.now()).count() == 0
    integrate_entries()
    verification = verify_log()
    assert (verification.result, verification.finding) == ("ok", "")
    assert verification.entries >= told.count() > 5000


def nothing_is_stored_in_clear(servers):
    known = [*PEOPLE, *GUESTS]
    values = {value for person in known for value in (person.name, person.email, *person.address.values())}
    values |= {talk.body for talk in all_talks()} | {talk.answer for talk in all_talks()}
    regions = {person.address.get("region") for person in known}
    needles = {value.encode() for value in values if value not in regions and len(value) >= 8}
    assert len(needles) > 90
    _nothing_in(_dumps(servers), needles)
