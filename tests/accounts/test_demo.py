import importlib
import io
from uuid import UUID

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import CommandError, call_command
from django.test import Client

from marketplace.accounts.models import SecondFactor, User
from marketplace.demo import urls
from marketplace.demo.accounts import DEMO_ACCOUNTS, DEMO_PASSWORD, listing, make_demo_accounts
from marketplace.demo.mail import KEPT, find_mail, mailbox_folder, newest_mails
from privacy.policy.roles import Role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def state(settings, tmp_path):
    settings.STATE = tmp_path
    settings.EMAIL_BACKEND = "marketplace.demo.mail.MailboxBackend"


def send(subject="Your order", body="Follow https://shop.example/confirm/abc/", to="marker@example.org"):
    EmailMultiAlternatives(subject, body, to=[to]).send()


@pytest.mark.promise("PROTECT-1")
def test_mailbox_backend_writes_nothing_in_clear():
    send()

    [file] = mailbox_folder().iterdir()

    assert b"marker" not in file.read_bytes()
    assert "marker" not in file.name
    assert file.stat().st_mode & 0o077 == 0


def test_mailbox_page_lists_the_newest_first():
    for number in range(3):
        send(subject=f"Mail {number}")

    page = Client().get("/demo/mailbox/").content.decode()

    assert page.index("Mail 2") < page.index("Mail 1") < page.index("Mail 0")


def test_mailbox_page_says_when_it_is_empty():
    assert "No mail yet" in Client().get("/demo/mailbox/").content.decode()


def test_message_page_makes_links_clickable():
    send()
    [stored] = newest_mails()

    page = Client().get(f"/demo/mailbox/{stored.id}/").content.decode()

    assert '<a href="https://shop.example/confirm/abc/"' in page


def test_message_page_escapes_what_the_mail_says():
    send(body="<script>alert(1)</script>")
    [stored] = newest_mails()

    assert "<script>alert" not in Client().get(f"/demo/mailbox/{stored.id}/").content.decode()


def test_message_page_of_no_mail_is_not_found():
    assert Client().get("/demo/mailbox/00000000-0000-7000-8000-000000000000/").status_code == 404


def test_mailbox_keeps_a_bounded_number():
    for _ in range(KEPT + 3):
        send()

    assert len(list(mailbox_folder().iterdir())) == KEPT


def test_mailbox_leaves_out_what_another_secret_key_wrote(settings):
    send()
    [stored] = newest_mails()
    settings.SECRET_KEY = "another secret key" * 4

    assert newest_mails() == []
    assert find_mail(UUID(stored.id)) is None


def test_make_demo_accounts_opens_each_once():
    assert make_demo_accounts() == len(DEMO_ACCOUNTS)
    assert make_demo_accounts() == 0

    assert User.objects.exclude(role=Role.CUSTOMER).count() == SecondFactor.objects.exclude(confirmed_at=None).count()
    assert mail.outbox == []


def test_demo_customer_can_sign_in():
    make_demo_accounts()

    page = Client().post("/sign-in/", {"email": "ada@example.com", "password": DEMO_PASSWORD})

    assert page.headers["Location"] == "/account/"


def test_demo_staff_get_in_with_the_printed_code():
    make_demo_accounts()
    output = io.StringIO()
    call_command("demo_code", "support", stdout=output)
    client = Client()
    client.post("/sign-in/", {"email": "support@example.com", "password": DEMO_PASSWORD})

    page = client.post("/second-factor/", {"code": output.getvalue().strip()})

    assert page.headers["Location"] == "/admin/"


def test_demo_code_refuses_other_accounts():
    with pytest.raises(CommandError):
        call_command("demo_code", "ada@example.com")
    with pytest.raises(CommandError):
        call_command("demo_code", "support")


def test_listing_names_every_account():
    text = "\n".join(listing())

    assert DEMO_PASSWORD in text
    assert all(account.email in text for account in DEMO_ACCOUNTS)


def test_accounts_page_names_everybody_whom_a_visitor_may_be():
    page = Client().get("/demo/accounts/").content.decode()

    assert DEMO_PASSWORD in page
    assert all(account.email in page for account in DEMO_ACCOUNTS)


def test_demo_pages_do_not_exist_outside_the_demo(settings):
    settings.DEMO = False
    try:
        assert importlib.reload(urls).urlpatterns == []
    finally:
        settings.DEMO = True
        importlib.reload(urls)
