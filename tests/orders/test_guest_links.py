"""Finding an order without an account: one answer for everybody, and a link that only the mailbox gets."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from orders.guests.actions import (
    admit_guest,
    answer_lookup,
    forget_answered_lookups,
    forget_guest_links,
    request_link,
    request_new_link,
)
from orders.guests.errors import LinkInvalid, NotYourOrder
from orders.guests.links import forget_old_links, issue_link, link_digest
from orders.guests.models import GuestLink, LeadsTo, OrderLookup
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import withdraw_consent
from privacy.declarations.purposes import Purpose
from privacy.jobs.actions import perform_job
from privacy.mail.actions import deliver_mail
from privacy.mail.models import OutboundMail
from privacy.policy.roles import ANONYMOUS, Actor, Role
from privacy.vault.models import Subject
from tests.accounts.people import link_in
from tests.guests import guest_client
from tests.orders.factories import UNWRITABLE, client_of, count_queries, entries, handed_over, make_customer, place, place_as_guest

pytestmark = [pytest.mark.django_db, pytest.mark.promise("RIGHTS-10")]

EMAIL = "marker.guest@example.org"


@pytest.fixture
def order():
    return place_as_guest(email=EMAIL)


def look_up(client, code, email=EMAIL, **more):
    return client.post("/orders/lookup/", {"code": code, "email": email, **more})


def answered():
    """Do what the workers would do; returns the mails with a link or a hint."""
    mail.outbox.clear()
    for lookup in OrderLookup.objects.filter(state="queued"):
        perform_job(lookup._meta.label_lower, lookup.pk)
    for queued in OutboundMail.objects.filter(template="orders_link", sent_at=None):
        deliver_mail(queued)
    return list(mail.outbox)


def link_to(order, leads_to=LeadsTo.ORDER, lasts=timedelta(minutes=15)):
    return "/" + issue_link(order, lasts, leads_to).split("/", 3)[3]


def test_look_up_mails_a_link_that_lets_in(client, order):
    answer = look_up(client, order.code)

    [message] = answered()
    assert answer["Location"] == "/orders/lookup/sent/"
    assert message.to == [EMAIL]
    assert order.code not in message.subject
    path = link_in(message)
    assert client.get(path).status_code == 200
    assert client.post(path)["Location"] == order.get_absolute_url()
    assert "Marker Addressee" in client.get(order.get_absolute_url()).content.decode()


@pytest.mark.parametrize("typed", ["{code}", " {code} ", "{lower}", "{spaced}"])
def test_look_up_forgives_how_the_number_is_typed(client, order, typed):
    code = order.code
    look_up(client, typed.format(code=code, lower=code.lower(), spaced=f"{code[:5]}-{code[5:]}"), "  Marker.GUEST@example.org")

    assert len(answered()) == 1


@pytest.mark.promise("PROTECT-4")
def test_look_up_says_the_same_whatever_is_true(client, order):
    """The same answer and as many queries for the right pair, a wrong address, an unknown order and one of an account."""
    account = place()
    pairs = [(order.code, EMAIL), (order.code, "stranger@example.org"), ("ABCD234567", EMAIL), (account.code, EMAIL)]
    answers, queries = [], []
    for code, email in pairs:
        cache.clear()
        queries.append(count_queries(lambda code=code, email=email: answers.append(look_up(client, code, email))))

    assert {(answer.status_code, answer["Location"], answer.content) for answer in answers} == {(302, "/orders/lookup/sent/", b"")}
    assert len(set(queries)) == 1
    assert [message.to for message in answered()] == [[EMAIL]]


def test_look_up_of_an_order_of_an_account_leads_to_the_sign_in(client):
    user = make_customer()
    order = handed_over(user=user)
    with unit_of_work(), open_access(by=user.actor, purpose=Purpose.ACCOUNT, subject=user.subject_id) as grant:
        email = grant.open(user.details.email)

    look_up(client, order.code, email)

    [message] = answered()
    assert order.get_absolute_url() in message.body
    assert "/orders/guest/" not in message.body
    assert not GuestLink.objects.exists()


def test_look_up_keeps_nothing_of_what_was_typed(client, order):
    look_up(client, order.code)
    look_up(client, "ABCD234567", "stranger@example.org")
    answered()

    assert [(lookup.code, lookup.digest) for lookup in OrderLookup.objects.all()] == [("", None)] * 2
    assert OrderLookup.objects.filter(order=None).count() == 1


@pytest.mark.promise("PROTECT-1")
def test_look_up_writes_no_address_anywhere(client, order, caplog):
    look_up(client, order.code)

    rows = [*OrderLookup.objects.values(), *Entry.objects.values()]
    assert not any("marker" in str(value).lower() for row in rows for value in row.values())
    assert "marker" not in caplog.text.lower()


@pytest.mark.parametrize(("code", "email"), [("", EMAIL), ("ABC", EMAIL), ("ABCD23456!", EMAIL), ("ABCD234567", "none")])
def test_look_up_says_what_is_wrong_with_what_was_typed(client, code, email):
    answer = look_up(client, code, email)

    assert answer.status_code == 422
    assert not OrderLookup.objects.exists()


def test_look_up_refuses_fields_it_did_not_ask_for(client, order):
    assert look_up(client, order.code, more="1").status_code == 422


def test_look_up_is_filled_from_a_link_in_a_mail(client, order):
    page = client.get(f"/orders/lookup/?code={order.code}&for=withdrawal").content.decode()

    assert f'value="{order.code}"' in page
    assert 'value="withdrawal"' in page


@pytest.mark.parametrize("what", ["order", "mailbox", "network"])
def test_look_up_flood_answers_the_same_and_mails_no_more(client, order, what):
    codes = [f"ABCD2345{a}{b}" for a in "ABCDEFGH" for b in "ABCDEFGH"]
    for i in range(40):
        same_order, same_mailbox = what == "order", what == "mailbox"
        code, email = order.code if same_order else codes[i], EMAIL if same_mailbox else f"stranger{i}@example.org"
        assert look_up(client, code, email).status_code == 302

    assert OrderLookup.objects.count() == (30 if what == "network" else 5)


def test_request_link_writes_one_event_that_names_nobody(order):
    with unit_of_work():
        request_link(by=ANONYMOUS, code=order.code, email=EMAIL, locale="en")

    assert entries(Event.LOOKUP_REQUESTED, subject_id=None) == 1


def test_request_link_changes_nothing_if_the_event_cannot_be_written(order):
    with pytest.raises(Exception, match="short token"), unit_of_work():
        request_link(by=UNWRITABLE, code=order.code, email=EMAIL, locale="en")

    assert not OrderLookup.objects.exists()


@pytest.mark.promise("USE-3")
def test_look_up_shows_in_the_log_of_the_person_as_their_right(client, order):
    look_up(client, order.code)
    answered()

    assert entries(Event.DATA_OPENED, subject_id=order.subject_id, purpose="rights", actor_role="job") >= 1


@pytest.mark.promise("RIGHTS-4")
def test_look_up_still_lets_in_whoever_withdrew_every_permission(client, order):
    me = Actor(Role.CUSTOMER, order.subject_id)
    with unit_of_work():
        for purpose in (Purpose.ORDER, Purpose.DISPATCH, Purpose.PAYMENT, Purpose.RETURNS, Purpose.FRAUD):
            withdraw_consent(by=me, subject=order.person, purpose=purpose, locale="en")

    look_up(client, order.code)

    assert len(answered()) == 1


@pytest.mark.promise("RIGHTS-3")
def test_look_up_of_an_erased_guest_mails_nothing(client, order):
    Subject.objects.filter(pk=order.subject_id).update(erased_at=timezone.now())

    look_up(client, order.code)

    assert answered() == []
    assert OrderLookup.objects.get().order is None


def test_answer_lookup_twice_mails_once(client, order):
    look_up(client, order.code)
    lookup = OrderLookup.objects.get()

    answer_lookup(lookup=lookup)
    answer_lookup(lookup=OrderLookup.objects.get())

    assert OutboundMail.objects.filter(template="orders_link").count() == 1


# The link


def test_opening_the_link_uses_nothing_up(client, order):
    path = link_to(order)

    for _ in range(3):
        page = client.get(path)
        client.head(path)

    assert page.status_code == 200
    assert page["Referrer-Policy"] == "no-referrer"
    assert "Marker" not in page.content.decode()
    assert GuestLink.objects.get().used_at is None
    assert client.get(order.get_absolute_url()).status_code == 302


def test_link_works_once_and_on_one_browser(client, order):
    path = link_to(order)
    client.post(path)
    other = Client()

    assert other.get(path).status_code == 410
    assert other.post(path).status_code == 410
    assert other.get(order.get_absolute_url()).status_code == 302
    assert client.get(order.get_absolute_url()).status_code == 200


def test_using_a_link_ends_the_earlier_ones_of_the_order(client, order):
    first, second = link_to(order), link_to(order)
    client.post(second)

    assert Client().post(first).status_code == 410


def test_link_runs_out(client, order):
    path = link_to(order, lasts=timedelta(seconds=-1))

    assert client.get(path).status_code == 410
    assert client.post(path).status_code == 410


@pytest.mark.parametrize("token", ["x", "a" * 43])
def test_unknown_link_is_gone(client, token):
    assert client.get(f"/orders/guest/{token}/").status_code == 410


def test_link_of_an_erased_guest_is_gone(client, order):
    path = link_to(order)
    Subject.objects.filter(pk=order.subject_id).update(erased_at=timezone.now())

    assert client.post(path).status_code == 410


def test_link_to_an_order_of_an_account_lets_nobody_in(client):
    path = link_to(place())

    assert client.post(path).status_code == 410


def test_link_leads_to_the_cancellation_of_the_purchase(client, order):
    assert client.post(link_to(order, LeadsTo.WITHDRAWAL))["Location"] == f"/account/orders/{order.code}/withdraw/"


def test_whoever_is_signed_in_signs_out_first(order):
    user, path = make_customer(), link_to(order)
    client = client_of(user)

    assert "Sign out first" in client.get(path).content.decode()
    client.post(path)

    assert GuestLink.objects.get().used_at is None
    assert client.get(order.get_absolute_url()).status_code == 404


def test_guest_sees_their_own_order_alone(order):
    other = place_as_guest()
    client = guest_client(order.person)

    for path in ("", "cancel/", "invoice/", "withdraw/", "withdrawals/", "credit-notes/"):
        assert client.get(f"/account/orders/{other.code}/{path}").status_code == 404
    for path in ("cancel/now/", "pay/", "withdraw/"):
        assert client.post(f"/account/orders/{other.code}/{path}", {"method": "card"}).status_code == 404
    assert other.code not in client.get("/account/orders/").content.decode()


def test_guest_uses_every_own_page(order):
    client = guest_client(order.person)
    pages = ["/account/orders/", order.get_absolute_url(), "/account/data/", "/account/data/delivery/", "/account/permissions/"]

    for page in [*pages, "/account/requests/", "/account/erase/"]:
        assert client.get(page).status_code == 200, page


@pytest.mark.promise("RIGHTS-3")
def test_after_an_erasure_nothing_of_a_guest_is_found(order):
    client, path = guest_client(order.person), link_to(order)
    with unit_of_work():
        forget_guest_links(order.person)
    Subject.objects.filter(pk=order.subject_id).update(erased_at=timezone.now())

    assert not GuestLink.objects.exists()
    assert client.get(order.get_absolute_url()).status_code == 403
    assert client.post(path).status_code in (403, 410)


def test_admit_guest_writes_one_event(order):
    token = link_to(order).split("/")[-2]
    with unit_of_work():
        admit_guest(by=ANONYMOUS, token=token)

    assert entries(Event.GUEST_ADMITTED, subject_id=order.subject_id) == 1


def test_admit_guest_changes_nothing_if_the_event_cannot_be_written(order):
    token = link_to(order).split("/")[-2]
    with pytest.raises(Exception, match="short token"), unit_of_work():
        admit_guest(by=UNWRITABLE, token=token)

    assert GuestLink.objects.get(digest=link_digest(token)).used_at is None


def test_admit_guest_refuses_a_replay(order):
    token = link_to(order).split("/")[-2]
    with unit_of_work():
        admit_guest(by=ANONYMOUS, token=token)

    with pytest.raises(LinkInvalid), unit_of_work():
        admit_guest(by=ANONYMOUS, token=token)


def test_token_stands_nowhere_in_the_database(order):
    token = link_to(order).split("/")[-2]

    assert bytes(GuestLink.objects.get().digest) == link_digest(token)
    assert token not in str(list(GuestLink.objects.values()))


# A new link for a guest who is let in


def test_new_link_goes_to_the_mailbox_of_the_order(order):
    client = guest_client(order.person, ago=timedelta(minutes=30))
    assert client.get("/account/new-link/").status_code == 200

    client.post("/account/new-link/")

    [message] = answered()
    assert message.to == [EMAIL]
    client.post(link_in(message))
    assert client.post("/account/erase/").status_code == 302


def test_new_link_is_for_guests_alone():
    client = client_of(make_customer())

    assert client.get("/account/new-link/")["Location"] == "/account/orders/"


def test_new_links_are_limited(order):
    client = guest_client(order.person)
    for _ in range(8):
        assert client.post("/account/new-link/").status_code == 302

    assert OrderLookup.objects.count() == 5


def test_request_new_link_refuses_other_peoples_orders_and_accounts(order):
    user = make_customer()
    own = place(user)

    for actor, asked in ((user.actor, order), (user.actor, own)):
        with pytest.raises(NotYourOrder), unit_of_work():
            request_new_link(by=actor, order=asked, locale="en")


# Ends


@pytest.mark.promise("CHANGE-3")
def test_links_and_look_ups_go_a_day_after_they_ended(client, order):
    link_to(order, lasts=timedelta(days=-2))
    link_to(order)
    look_up(client, order.code)
    answered()
    OrderLookup.objects.update(finished_at=timezone.now() - timedelta(days=2))
    GuestLink.objects.filter(expires_at__gt=timezone.now() + timedelta(minutes=16)).delete()

    assert forget_old_links() == 1
    assert forget_answered_lookups() == 1
