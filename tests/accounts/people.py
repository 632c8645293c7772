"""People for tests, made by the actions."""

from django.core import mail
from django.test import Client

from audit.models import Entry
from marketplace.accounts.actions import (
    appoint_staff,
    confirm_mailbox,
    confirm_second_factor,
    enrollment_of,
    issue_recovery_codes,
    sign_up,
)
from marketplace.accounts.codes import current_code
from marketplace.accounts.models import AccountToken, SecondFactor, User
from marketplace.accounts.tokens import issue_token
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import deliver_mail
from privacy.mail.models import OutboundMail
from privacy.policy.roles import ANONYMOUS, Actor, Role

EMAIL = "marker.mailbox@example.org"
NAME = "Marker Namely"
PASSWORD = "seven green apples on a wall"
TEST = Actor.job("test")
UNWRITABLE = Actor(Role.ADMINISTRATOR, name="no token at all")
"""An actor whose name the log refuses: whatever they do cannot be recorded."""


def make_unconfirmed(email=EMAIL, name=NAME, purposes=(Purpose.ACCOUNT,)) -> User:
    with unit_of_work():
        return sign_up(by=ANONYMOUS, email=email, name=name, password=PASSWORD, purposes=purposes, locale="en")


def make_customer(email=EMAIL, name=NAME, purposes=(Purpose.ACCOUNT,)) -> User:
    user = make_unconfirmed(email, name, purposes)
    with unit_of_work():
        return confirm_mailbox(by=ANONYMOUS, token=issue_token(user, AccountToken.Kind.CONFIRM), password=PASSWORD)


def make_staff(role=Role.SUPPORT, email="staff@example.org", enrolled=True) -> User:
    with unit_of_work():
        user = appoint_staff(by=TEST, email=email, name="Staff Member", role=role, password=PASSWORD)
        if enrolled:
            turn_on(user)
    return user


def turn_on(user) -> None:
    """Put a second factor in force, as somebody with an app would; sessions end."""
    with unit_of_work():
        secret, _uri = enrollment_of(by=TEST, user=user)
        assert confirm_second_factor(by=TEST, user=user, code=current_code(secret))
    user.refresh_from_db()  # with what hangs on it: the second factor was read before


def make_protected(email=EMAIL, **how) -> User:
    """A customer with a second factor."""
    user = make_customer(email, **how)
    turn_on(user)
    return user


def codes_of(user) -> list[str]:
    """Fresh recovery codes."""
    with unit_of_work():
        return issue_recovery_codes(by=user.actor, user=user)


def secret_of(user) -> str:
    factor = SecondFactor.objects.get(user=user)
    with unit_of_work(), open_access(by=TEST, purpose=Purpose.SECURITY, subject=user.subject_id) as grant:
        return grant.open(factor.secret)


def fresh_code(user) -> str:
    """A code that was not used yet."""
    SecondFactor.objects.filter(user=user).update(last_used_step=None)
    return current_code(secret_of(user))


def client_of(user, email=EMAIL) -> Client:
    client = Client()
    client.post("/sign-in/", {"email": email, "password": PASSWORD})
    return client


def staff_client(user, email="staff@example.org") -> Client:
    client = client_of(user, email)
    client.post("/second-factor/", {"code": fresh_code(user)})
    return client


def protected_client(user, email=EMAIL) -> Client:
    """A customer with a second factor, wholly signed in."""
    return staff_client(user, email)


def deliver_all() -> list:
    """Send what is queued, as the worker would; returns the messages."""
    mail.outbox.clear()
    for queued in OutboundMail.objects.filter(sent_at=None).order_by("pk"):
        deliver_mail(queued)
    return list(mail.outbox)


def link_in(message) -> str:
    """The path of the one link to follow in a mail."""
    line = next(line for line in message.body.splitlines() if line.startswith("http"))
    return "/" + line.split("/", 3)[3]


def entries(event, **more) -> int:
    return Entry.objects.filter(event=event, **more).count()
