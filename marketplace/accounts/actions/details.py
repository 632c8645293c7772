"""Change what an account holds about its person, mailbox included."""

from __future__ import annotations

from django.db import transaction

from audit.events import Event
from audit.record import Reference, record
from marketplace.accounts.actions.mailboxes import claim_mailbox, drop_mailbox_change
from marketplace.accounts.errors import NotAllowed, TokenInvalid
from marketplace.accounts.models import AccountToken, PendingMailbox, User
from marketplace.accounts.tokens import use_token
from privacy.access.gate import open_access
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor


@transaction.atomic
def change_locale(*, by: Actor, user: User, locale: str) -> None:
    """Set the language of pages and mails. Raises NotAllowed for somebody else's account."""
    _refuse_others(by, user)
    user.locale = locale
    user.save(update_fields=["locale"])
    record(Event.DETAILS_CORRECTED, by=by, subject=user.subject_id, object=user, fields=["locale"])


@transaction.atomic
def request_mailbox_change(*, by: Actor, user: User, email: str) -> PendingMailbox:
    """Keep the new address sealed until a link mailed to it is followed; tell the old mailbox.

    An address asked for earlier is forgotten, and its link stops working. Raises NotAllowed for somebody else's account.
    """
    _refuse_others(by, user)
    drop_mailbox_change(user)
    with open_access(by=by, purpose=Purpose.ACCOUNT, subject=user.subject_id):
        pending = PendingMailbox.objects.create(subject_id=user.subject_id, user=user, email=email)
    about = Reference.to(pending)
    for template in ("accounts-change-asked", "accounts-change"):
        queue_mail(by=by, template=template, subject=user.subject_id, object=about, locale=user.locale)
    record(Event.MAILBOX_CHANGE_REQUESTED, by=by, subject=user.subject_id, object=pending)
    return pending


@transaction.atomic
def confirm_mailbox_change(*, by: Actor, token: str) -> User:
    """Use the new address from now on; links mailed to the old one stop working. Raises TokenInvalid or MailboxTaken."""
    user = use_token(token, AccountToken.Kind.CHANGE)
    pending = PendingMailbox.objects.filter(subject_id=user.subject_id).first()
    if pending is None:  # its day was over before the link's, which begins when the mail is sent
        raise TokenInvalid
    with open_access(by=user.actor, purpose=Purpose.ACCOUNT, subject=user.subject_id, writes=Event.DATA_CORRECTED) as grant:
        email = grant.open(pending.email)
        claim_mailbox(user, email)
        user.details.email = email
        user.details.save(update_fields=["email"])
    pending.delete()
    AccountToken.objects.filter(user=user, kind=AccountToken.Kind.RESET).delete()
    record(Event.DETAILS_CORRECTED, by=by, subject=user.subject_id, object=user, fields=["email"])
    return user


def _refuse_others(by: Actor, user: User) -> None:
    if not by.is_subject(user.subject_id):
        raise NotAllowed
