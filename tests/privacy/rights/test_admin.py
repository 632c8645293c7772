"""Staff see clocks, numbers and steps of requests and purges, and nobody's data."""

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.accounts.middleware import PASSED_AT
from marketplace.accounts.models import User
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Role
from privacy.retention.actions import start_purge
from privacy.rights.actions import request_copy, request_erasure, start_due_erasures
from privacy.rights.models import ErasureJob, Receipt, Request
from privacy.vault.models import Subject
from tests.orders.factories import count_queries
from tests.privacy.rights.people import JOB, new_requests, perform

PAGES = ["request", "receipt", "purgerun"]


def staff_client(role):
    user = User.objects.create(subject=Subject.objects.create(kind=Subject.Kind.STAFF), role=role)
    client = Client()
    client.force_login(user, backend="marketplace.accounts.backends.MailboxBackend")
    session = client.session
    session[PASSED_AT] = timezone.now().isoformat()
    session.save()
    return client


@pytest.fixture
def officer(db):
    return staff_client(Role.PRIVACY_OFFICER)


@pytest.fixture
def rows(person):
    with unit_of_work():
        request = request_copy(by=person.actor, subject=person.subject)
    perform(request.export)
    Receipt.objects.create(request=request, counts={}, scopes=[], kept=[], entries=[])
    run = perform(start_purge(by=JOB, at_once=False))
    return {"request": request, "receipt": request.receipt, "purgerun": run}


@pytest.mark.parametrize("page", PAGES)
def test_lists_and_pages_name_nobody(officer, rows, page):
    for address in ("", f"{rows[page].pk}/change/"):
        response = officer.get(f"/admin/privacy/{page}/{address}")

        assert response.status_code == 200
        assert b"Marker" not in response.content


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("page", PAGES)
def test_other_roles_are_refused(rows, page):
    assert staff_client(Role.FULFILLMENT).get(f"/admin/privacy/{page}/").status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_added_or_changed_here(officer, rows, page):
    assert officer.get(f"/admin/privacy/{page}/add/").status_code == 403
    assert officer.post(f"/admin/privacy/{page}/{rows[page].pk}/change/", {"state": "completed"}).status_code == 403
    assert officer.post(f"/admin/privacy/{page}/{rows[page].pk}/delete/").status_code == 403


def test_the_list_of_requests_takes_the_same_queries_for_few_and_many(officer, person):
    def more(number):
        now = timezone.now()
        for _ in range(number):
            Request.objects.create(subject=person.subject, kind="correction", state="completed", locale="en", due_at=now, completed_at=now)

    more(3)
    officer.get("/admin/privacy/request/")
    few = count_queries(lambda: officer.get("/admin/privacy/request/"))
    more(20)

    assert count_queries(lambda: officer.get("/admin/privacy/request/")) == few


def test_the_officer_tries_failed_work_again(officer, person, monkeypatch):
    from privacy.rights import erasure

    monkeypatch.setattr(erasure, "_blockers", [])
    with unit_of_work():
        request = request_erasure(by=person.actor, subject=person.subject)
    new_requests().update(effective_at=timezone.now())
    start_due_erasures()
    ErasureJob.objects.update(state="failed", finished_at=timezone.now())

    officer.post(f"/admin/privacy/request/{request.pk}/change/", {"_button": "retry"})

    assert ErasureJob.objects.get().state == "queued"
