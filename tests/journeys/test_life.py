"""One life of a customer's data in a browser, from consent to erasure, on real components."""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Entry, Leaf
from orders.invoices.models import Invoice, InvoiceParty
from orders.lifecycle.models import Order, OrderAddress, OrderLine
from privacy.access.models import Opening
from privacy.policy.roles import Actor, Role
from privacy.retention.actions import start_purge
from privacy.rights.models import Request
from privacy.vault.models import DestroyedKey, Subject, SubjectKey
from tests.databases import slot_environment
from tests.journeys import life
from tests.processes import wait_until
from tests.settings import ROOT

UNPROCESSABLE = "Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"

pytestmark = [pytest.mark.browser]


@pytest.mark.promise("RIGHTS-1")
@pytest.mark.promise("RIGHTS-3")
@pytest.mark.promise("RIGHTS-6")
@pytest.mark.promise("CHANGE-3")
def test_a_customers_data_lives_from_consent_to_erasure(visitor, staff, beat):
    customer, code = life.live(visitor, staff)
    order = Order.objects.get(code=code)
    subject = Subject.objects.get(pk=order.subject_id)

    _read_my_data(customer)
    _correct_my_name(customer)
    _withdraw_a_permission(customer)
    copy = life.get_a_copy(customer)
    assert any(life.ADDRESS["Full name"].encode() in copy.read(name) for name in copy.namelist())

    request = life.ask_for_erasure(customer)
    life.let_cooling_off_pass(request)
    _wait_for(request)
    _only_the_books_are_left(order, subject)
    customer.read_mail("We are deleting your data now")
    customer.page.locator("main a[href*='/privacy/receipts/']").first.click()
    customer.sees("Nothing was left.")
    customer.go("/sign-in/")
    customer.fill("Email", life.EMAIL)
    customer.fill("Password", life.PASSWORD)
    customer.press("Sign in")
    assert "/account/" not in customer.page.url

    _the_floor_ends(order, subject)
    _the_log_verifies()
    assert customer.complaints == [UNPROCESSABLE], "only the sign-in after the erasure was refused"


def _the_log_verifies():
    """With the command that an operator uses, after beat has integrated what happened."""
    newest = Entry.objects.latest("id").pk
    wait_until(lambda: Leaf.objects.filter(entry_id=newest).exists(), "the log to be integrated")
    command = [sys.executable, "manage.py", "verify_audit"]
    environment = slot_environment(MARKETPLACE_DB_ROLE="worker")
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def _read_my_data(customer):
    customer.go("/account/data/")
    assert "Delivery details" in customer.text
    customer.go("/account/data/delivery/")
    assert life.ADDRESS["Full name"] in customer.text
    assert "Sandbox Parcels" in customer.text
    customer.go("/account/uses/")
    assert "Our staff: Support" in customer.text
    assert life.REASON in customer.text
    assert Opening.objects.filter(role=Role.SUPPORT).exists()


def _correct_my_name(customer):
    customer.go("/account/details/")
    customer.page.get_by_text("Change name").click()
    customer.page.get_by_role("textbox", name="Name").fill(life.NEW_NAME)
    customer.press("Save name")
    customer.sees(life.NEW_NAME)


def _withdraw_a_permission(customer):
    customer.go("/account/permissions/improvement/withdraw/")
    customer.sees("What stops")
    customer.press("Withdraw")
    customer.go("/account/permissions/")
    assert "withdrawn" in customer.text.lower()


def _wait_for(request):
    def done():
        request.refresh_from_db()
        return request.state == Request.State.COMPLETED

    wait_until(done, "the erasure", limit=120)


def _only_the_books_are_left(order, subject):
    subject.refresh_from_db()
    assert subject.erased_at is not None
    assert set(SubjectKey.objects.filter(subject_id=subject.pk).values_list("scope", flat=True)) == {"records"}
    assert DestroyedKey.objects.filter(subject_id=subject.pk).count() >= 5
    assert not OrderAddress.objects.filter(subject=subject).exists()
    assert InvoiceParty.objects.filter(subject=subject).count() == 1
    assert OrderLine.objects.filter(order=order).get().title == "Stoneware mug"
    assert Order.objects.get(pk=order.pk).total == order.total


def _the_floor_ends(order, subject):
    """When the law needs the invoice no longer, the purge finishes the erasure by itself."""
    long_ago = timezone.now() - timedelta(days=9 * 366)
    Invoice.objects.filter(order=order).update(issued_at=long_ago)
    start_purge(by=Actor.job("test"))
    wait_until(lambda: not InvoiceParty.objects.filter(subject=subject).exists(), "the purge", limit=60)
    wait_until(lambda: not SubjectKey.objects.filter(subject_id=subject.pk).exists(), "the last key to go")
