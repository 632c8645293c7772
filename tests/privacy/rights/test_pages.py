"""The pages on which people see and use their data; nobody else's is ever found."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.events import Event
from marketplace.accounts.forms import NewPasswordForm
from marketplace.accounts.models import PendingMailbox
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.queries import has_consent
from privacy.consent.statements import fingerprint
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import deliver_mail
from privacy.mail.models import OutboundMail
from privacy.rights import attempts, erasure
from privacy.rights.actions import start_due_erasures
from privacy.rights.models import ErasureJob, ExportJob, Request
from tests.orders.factories import client_of, count_queries, place
from tests.privacy.rights.people import JOB, close_orders, disclose_to, entries, make_agent, new_requests, perform

PASSWORD = "seven green apples on a wall"


@pytest.fixture(autouse=True)
def nothing_blocks(monkeypatch):
    monkeypatch.setattr(erasure, "_blockers", [])


@pytest.fixture
def client(person):
    person.set_password(PASSWORD)
    person.save()
    return client_of(person)


def asked_copy(client, is_made=True):
    client.post("/account/data/copy/")
    request = new_requests().latest("made_at")
    if is_made:
        perform(ExportJob.objects.get(request=request))
    return request


def yes_to(purpose, locale="en"):
    """What the button beside the words of this purpose sends."""
    return {f"consent_{purpose.value}": fingerprint(purpose, locale)}


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.mark.promise("RIGHTS-6")
def test_my_data_shows_five_cards_and_opens_nothing(client, person):
    disclose_to(person)
    close_orders(person, timedelta(days=1))
    before = entries(Event.DATA_OPENED)

    page = client.get("/account/data/")

    assert page.content.count(b'class="data-card"') == 5
    assert "carrier" in text_of(page)
    assert b"Marker" not in page.content
    assert entries(Event.DATA_OPENED) == before
    assert "no-store" in page["Cache-Control"]


@pytest.mark.promise("RIGHTS-1")
@pytest.mark.promise("USE-3")
def test_a_category_shows_values_reasons_recipients_and_uses(client, person):
    disclose_to(person)

    page = text_of(client.get("/account/data/delivery/"))

    assert "Marker Addressee" in page
    assert "30 days after the order is closed" in page
    assert str(Purpose.DISPATCH.label) in page
    assert "carrier" in page
    assert "You" in page
    assert entries(Event.DATA_OPENED, actor_id=person.subject_id, purpose="rights", categories=["delivery"]) == 1


def test_a_category_says_which_law_keeps_a_record(client):
    page = text_of(client.get("/account/data/financial/"))

    assert "AO § 147" in page
    assert "Why?" in page


@pytest.mark.parametrize("category", [category.value for category in Category])
def test_a_category_takes_the_same_queries_for_few_and_many_records(client, person, category):
    for _ in range(2):
        more(person)
    client.get(f"/account/data/{category}/")
    few = count_queries(lambda: client.get(f"/account/data/{category}/"))
    for _ in range(9):
        more(person)

    assert count_queries(lambda: client.get(f"/account/data/{category}/")) <= few


def more(person):
    place(user=person)
    with unit_of_work(), open_access(by=JOB, purpose=Purpose.ACCOUNT, subject=person.subject, writes=Event.DATA_COLLECTED):
        PendingMailbox.objects.create(subject=person.subject, user=person, email="marker.more@example.org")


@pytest.mark.parametrize("address", ["/account/data/", "/account/requests/", "/account/permissions/", "/account/erase/"])
def test_a_page_takes_the_same_queries_for_few_and_many_records(client, person, address):
    def hold_more(times):
        for _ in range(times):
            place(user=person)
            disclose_to(person)
            now = timezone.now()
            Request.objects.create(subject=person.subject, kind="correction", state="completed", locale="en", due_at=now, completed_at=now)

    hold_more(2)
    client.get(address)
    few = count_queries(lambda: client.get(address))
    hold_more(9)

    assert count_queries(lambda: client.get(address)) == few


def test_a_category_has_pages(client, person):
    for _ in range(25):
        place(user=person)

    first, last = client.get("/account/data/purchase/"), client.get("/account/data/purchase/?page=2")

    assert (first.content.count(b"<article"), last.content.count(b"<article")) == (20, 6)


@pytest.mark.parametrize(
    "address", ["/account/data/nothing/", "/account/requests/9f6b51d8-09fc-40fb-844d-8a3312da1e90/", "/privacy/receipts/nothing/"]
)
def test_what_does_not_exist_is_not_found(client, address):
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    "address",
    ["data/", "data/account/", "data/copy/", "permissions/", "permissions/account/withdraw/", "requests/", "erase/"],
)
def test_pages_are_for_the_signed_in_customer(client, person, address):
    staff = make_agent()

    assert Client().get(f"/account/{address}").status_code == 302
    assert client_of(staff).get(f"/account/{address}").status_code == 302


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize(
    ("method", "part"), [("get", ""), ("get", "progress/"), ("get", "download/"), ("post", "download/"), ("post", "cancel/")]
)
def test_another_persons_request_is_not_found(client, other, method, part):
    request = asked_copy(client)

    assert getattr(client_of(other), method)(f"/account/requests/{request.pk}/{part}").status_code == 404


@pytest.mark.parametrize(
    ("method", "address"),
    [("post", "data/"), ("post", "data/account/"), ("get", "permissions/account/give/"), ("post", "requests/")],
)
def test_only_the_right_method(client, method, address):
    assert getattr(client, method)(f"/account/{address}").status_code == 405


@pytest.mark.promise("RIGHTS-4")
def test_an_optional_permission_is_given_and_withdrawn_with_one_click(client, person):
    client.post("/account/permissions/improvement/give/", yes_to(Purpose.IMPROVEMENT))
    assert has_consent(person.subject_id, Purpose.IMPROVEMENT)

    client.post("/account/permissions/improvement/withdraw/")
    assert not has_consent(person.subject_id, Purpose.IMPROVEMENT)
    assert "withdrawn" in text_of(client.get("/account/permissions/"))


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("sent", [{}, yes_to(Purpose.IMPROVEMENT, "de"), {"consent_improvement": "on"}, yes_to(Purpose.FRAUD)])
def test_a_permission_is_given_to_the_words_shown_alone(client, person, sent):
    page = client.post("/account/permissions/improvement/give/", sent)

    assert page.status_code == 422
    assert "There is a problem" in text_of(page)
    assert yes_to(Purpose.IMPROVEMENT)["consent_improvement"] in text_of(page)
    assert not has_consent(person.subject_id, Purpose.IMPROVEMENT)


@pytest.mark.promise("RIGHTS-4")
def test_withdrawing_an_essential_permission_first_says_what_stops(client, person):
    page = text_of(client.get("/account/permissions/dispatch/withdraw/"))
    assert "Parcels that have not left us stay here." in page
    assert has_consent(person.subject_id, Purpose.DISPATCH)

    client.post("/account/permissions/dispatch/withdraw/")
    assert not has_consent(person.subject_id, Purpose.DISPATCH)


@pytest.mark.parametrize("purpose", ["legal", "support", "nonsense"])
def test_purposes_without_consent_cannot_be_given(client, purpose):
    assert client.post(f"/account/permissions/{purpose}/give/").status_code == 404


def test_a_copy_shows_progress_that_survives_a_reload(client):
    request = asked_copy(client, is_made=False)
    ExportJob.objects.update(progress=35)
    new_requests().update(state="running")

    page = client.get(f"/account/requests/{request.pk}/")
    assert b'value="35"' in page.content
    assert b'data-hx-trigger="every 2s"' in page.content
    assert b'<noscript><meta http-equiv="refresh"' in page.content
    part = client.get(f"/account/requests/{request.pk}/progress/")
    assert "HX-Refresh" not in part
    perform(ExportJob.objects.get())
    assert client.get(f"/account/requests/{request.pk}/progress/")["HX-Refresh"] == "true"


def test_asking_twice_leads_to_the_open_request(client):
    request = asked_copy(client, is_made=False)

    assert client.post("/account/data/copy/")["Location"] == f"/account/requests/{request.pk}/"
    assert new_requests().count() == 1


@pytest.mark.promise("RIGHTS-1")
def test_download_asks_for_the_password(client, person):
    request = asked_copy(client)
    address = f"/account/requests/{request.pk}/download/"

    assert b"PK" not in client.get(address).content[:2]
    assert client.post(address, {"password": "wrong"}).status_code == 422
    assert entries(Event.EXPORT_DOWNLOADED) == 0
    right = client.post(address, {"password": PASSWORD})

    content = b"".join(right.streaming_content)
    assert content.startswith(b"PK")
    assert right["Content-Length"] == str(len(content))
    assert right["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    assert "no-store" in right["Cache-Control"]
    assert entries(Event.EXPORT_DOWNLOADED) == 1


@pytest.mark.promise("PROTECT-3")
def test_the_password_cannot_be_guessed_here(client):
    address = f"/account/requests/{asked_copy(client).pk}/download/"
    for _ in range(attempts.ATTEMPTS):
        assert client.post(address, {"password": "wrong"}).status_code == 422

    assert client.post(address, {"password": PASSWORD}).status_code == 429
    assert entries(Event.EXPORT_DOWNLOADED) == 0


def test_unknown_fields_are_refused(client):
    address = f"/account/requests/{asked_copy(client).pk}/download/"

    assert client.post(address, {"password": PASSWORD, "extra": "1"}).status_code == 422


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("address", ["permissions/improvement/give/", "permissions/dispatch/withdraw/", "data/copy/"])
def test_buttons_refuse_unknown_fields(client, person, address):
    before = {purpose: has_consent(person.subject_id, purpose) for purpose in (Purpose.IMPROVEMENT, Purpose.DISPATCH)}

    page = client.post(f"/account/{address}", {"extra": "1"})

    assert page.status_code == 422
    assert "fields that we did not ask for" in text_of(page)
    assert {purpose: has_consent(person.subject_id, purpose) for purpose in before} == before
    assert not new_requests().exists()


@pytest.mark.promise("COLLECT-3")
def test_cancel_refuses_unknown_fields(client):
    client.post("/account/erase/", {"password": PASSWORD})
    request = new_requests().get()

    page = client.post(f"/account/requests/{request.pk}/cancel/", {"extra": "1"})

    request.refresh_from_db()
    assert page.status_code == 422
    assert "fields that we did not ask for" in text_of(page)
    assert request.state == Request.State.WAITING


def test_the_longest_password_can_be_given_again(client, person):
    longest = "p" * 200
    assert NewPasswordForm({"password": longest}).is_valid()
    request = asked_copy(client)
    person.set_password(longest)
    person.save()

    page = client_of(person).post(f"/account/requests/{request.pk}/download/", {"password": longest})

    assert b"".join(page.streaming_content).startswith(b"PK")


def test_an_expired_copy_leads_back(client):
    request = asked_copy(client)
    ExportJob.objects.update(expires_at=timezone.now())

    assert client.get(f"/account/requests/{request.pk}/download/").status_code == 302
    assert "seven days are over" in text_of(client.get(f"/account/requests/{request.pk}/"))


@pytest.mark.promise("RIGHTS-3")
def test_erase_shows_the_plan_before_anything(client):
    page = text_of(client.get("/account/erase/"))

    assert "1 × delivery address" in page
    assert "1 × billed party" in page
    assert "AO § 147" in page
    assert not new_requests().exists()


def test_erase_needs_the_password(client):
    assert client.post("/account/erase/", {"password": "wrong"}).status_code == 422
    assert not new_requests().exists()


@pytest.mark.promise("RIGHTS-3")
def test_erase_can_be_canceled_on_the_page(client):
    response = client.post("/account/erase/", {"password": PASSWORD})
    request = new_requests().get()
    assert response["Location"] == f"/account/requests/{request.pk}/"
    assert client.get("/account/erase/").status_code == 302
    assert "cancel" in text_of(client.get(response["Location"]))

    client.post(f"/account/requests/{request.pk}/cancel/")

    request.refresh_from_db()
    assert request.state == Request.State.CANCELED


@pytest.mark.promise("RIGHTS-3")
def test_the_last_mail_leads_to_the_receipt(client, person, mailoutbox, settings):
    settings.ERASURE_COOLING_OFF = timedelta(0)
    client.post("/account/erase/", {"password": PASSWORD})
    start_due_erasures()
    job = perform(ErasureJob.objects.get())
    deliver_mail(OutboundMail.objects.get(template="rights-erasure-begun"))
    OutboundMail.objects.update(state="done")
    link = re.search(r"/privacy/receipts/\S+", mailoutbox[-1].body).group()
    assert "We are deleting your data" in text_of(Client().get(link))

    perform(job)

    page = Client().get(link)
    assert "Your data is deleted" in text_of(page)
    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"]
    assert "Marker" not in text_of(page)
    assert client.get("/account/data/").status_code == 302
    assert Client().get(f"{link[:-2]}/").status_code == 404


def test_mails_name_nobody_and_hold_no_value(client, person, mailoutbox):
    asked_copy(client)
    client.post("/account/erase/", {"password": PASSWORD})
    for queued in OutboundMail.objects.filter(template__startswith="rights-"):
        deliver_mail(queued)

    assert len(mailoutbox) == 2
    assert not any("Marker" in message.subject + message.body for message in mailoutbox)
