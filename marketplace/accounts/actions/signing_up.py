"""Open an account and confirm its mailbox.

Signing up never looks an address up: it always opens an account of its own. Whether the address was known is found
out by the worker that sends the mail, so that neither the page nor its timing says who has an account.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from marketplace.accounts.actions.closing import close_account
from marketplace.accounts.actions.mailboxes import claim_mailbox
from marketplace.accounts.models import AccountDetails, AccountToken, User
from marketplace.accounts.tokens import use_token
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import give_consent
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor
from privacy.rights.attempts import confirm_password
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject

UNCONFIRMED_FOR = timedelta(days=3)


@transaction.atomic
def sign_up(*, by: Actor, email: str, name: str, password: str, purposes: Collection[Purpose], locale: str) -> User:
    """Open an account, usable once its mailbox is confirmed by the mail that this queues.

    ``purposes`` are those whose box the person ticked. Raises GroundMissing (from the gate) without ACCOUNT.
    """
    subject = Subject.objects.create(kind=Subject.Kind.CUSTOMER)
    user = User(subject=subject, locale=locale)
    user.set_password(password)
    user.save()
    person = user.actor
    for purpose in purposes:
        give_consent(by=person, subject=subject, purpose=purpose, locale=locale)
    with open_access(by=person, purpose=Purpose.ACCOUNT, subject=subject, writes=Event.DATA_COLLECTED):
        AccountDetails.objects.create(subject=subject, user=user, email=email, name=name)
    record(Event.ACCOUNT_CREATED, by=by, subject=subject, object=user)
    _ask_to_confirm(user)
    return user


@transaction.atomic
def send_confirmation_again(*, by: Actor, user: User) -> None:
    """Mail a fresh link to a mailbox that is not confirmed yet; does nothing for one that is."""
    if user.confirmed_at is None and user.is_active:
        _ask_to_confirm(user, occasion=str(uuid7()))


@transaction.atomic
def confirm_mailbox(*, by: Actor, token: str, password: str) -> User:
    """Make an account usable: whoever has the token reads the mailbox, and the password shows that they opened it.

    The link alone would let somebody open an account with another person's address and a password of their own,
    have that person confirm it, and then share it. Raises TokenInvalid, WrongPassword, TooManyAttempts, or
    MailboxTaken when another account has confirmed the mailbox first; after each of them the link still works.
    """
    user = use_token(token, AccountToken.Kind.CONFIRM)
    confirm_password(user, password)
    with open_access(by=user.actor, purpose=Purpose.ACCOUNT, subject=user.subject_id) as grant:
        claim_mailbox(user, grant.open(user.details.email))
    user.confirmed_at = timezone.now()
    user.save(update_fields=["confirmed_at"])
    record(Event.MAILBOX_CONFIRMED, by=by, subject=user.subject_id, object=user)
    return user


def close_unconfirmed_accounts() -> int:
    """Close accounts whose mailbox nobody confirmed in three days; their details go with the next purge."""
    stale = User.objects.filter(confirmed_at=None, closed_at=None, created_at__lt=timezone.now() - UNCONFIRMED_FOR)
    closed = 0
    for key in list(stale.order_by("created_at").values_list("pk", flat=True)[:500]):
        with unit_of_work():
            # Asked again under lock: the link may have been followed since the list was made.
            user = stale.select_for_update().filter(pk=key).first()
            if user is not None:
                close_account(by=Actor.job("unconfirmed-accounts"), subject=user.subject_id)
                closed += 1
    return closed


def _ask_to_confirm(user: User, occasion: str = "") -> None:
    queue_mail(
        by=user.actor,
        template="accounts-confirm",
        subject=user.subject_id,
        object=Reference.to(user),
        locale=user.locale,
        occasion=occasion,
    )
