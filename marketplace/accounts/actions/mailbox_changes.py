"""Use another mailbox: the new one and the old one both answer, in either order.

Whoever holds the mailbox of an account holds the account, so neither a session nor a password nor the new mailbox is
enough. Somebody who can no longer read the old one waits fourteen days, in which it is warned three times and can
call the change off without signing in; then the password, and the second factor where there is one, stand in for it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from marketplace.accounts.actions.details import refuse_others
from marketplace.accounts.actions.mailboxes import claim_mailbox, drop_mailbox_change
from marketplace.accounts.actions.sessions import delete_sessions
from marketplace.accounts.errors import ChangeMustWait, MailboxTaken, TokenInvalid
from marketplace.accounts.models import AccountToken, PendingMailbox, User
from marketplace.accounts.queries import is_mailbox_taken
from marketplace.accounts.tokens import find_token, use_token
from privacy.access.gate import Grant, open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor

WARNINGS = (timedelta(days=7), timedelta(days=13))
"""After these the old mailbox is written to again, if it has not answered."""

CHANGES = Actor.job("mailbox-changes")


@transaction.atomic
def request_mailbox_change(*, by: Actor, user: User, email: str) -> PendingMailbox:
    """Keep the new address sealed, and mail a link to both mailboxes.

    An address asked for earlier is forgotten, and its links stop working. Raises NotAllowed for somebody else's account.
    """
    refuse_others(by, user)
    drop_mailbox_change(user)
    with open_access(by=by, purpose=Purpose.ACCOUNT, subject=user.subject_id, writes=Event.DATA_COLLECTED):
        pending = PendingMailbox.objects.create(subject_id=user.subject_id, user=user, email=email)
    for template in ("accounts-change-asked", "accounts-change"):
        queue_mail(by=by, template=template, subject=user.subject_id, object=Reference.to(pending), locale=user.locale)
    record(Event.MAILBOX_CHANGE_REQUESTED, by=by, subject=user.subject_id, object=pending)
    return pending


@transaction.atomic
def confirm_mailbox_change(*, by: Actor, token: str) -> bool:
    """The new mailbox answers; whether that made the change. Raises TokenInvalid or MailboxTaken."""
    pending = _answered(token, AccountToken.Kind.CHANGE)
    with _opened(pending.user) as grant:
        if is_mailbox_taken(grant.open(pending.email), by_other_than=pending.user.pk):
            raise MailboxTaken
    pending.proven_at = timezone.now()
    pending.save(update_fields=["proven_at"])
    record(Event.MAILBOX_CHANGE_ANSWERED, by=by, subject=pending.subject_id, object=pending, outcome="new_mailbox")
    return _make_if_answered(by, pending)


@transaction.atomic
def agree_to_mailbox_change(*, by: Actor, token: str) -> bool:
    """The old mailbox answers; whether that made the change. Raises TokenInvalid or MailboxTaken."""
    pending = _answered(token, AccountToken.Kind.AGREE)
    pending.agreed_at = timezone.now()
    pending.save(update_fields=["agreed_at"])
    record(Event.MAILBOX_CHANGE_ANSWERED, by=by, subject=pending.subject_id, object=pending, outcome="old_mailbox")
    return _make_if_answered(by, pending)


@transaction.atomic
def refuse_mailbox_change(*, by: Actor, token: str) -> User:
    """The old mailbox calls the change off, and everybody is signed out: whoever asked for it knew the password.

    Raises TokenInvalid.
    """
    pending = _answered(token, AccountToken.Kind.REFUSE)
    _call_off(by, pending, outcome="refused")
    delete_sessions(pending.user)
    return pending.user


@transaction.atomic
def cancel_mailbox_change(*, by: Actor, user: User) -> None:
    """Call one's own change off; nothing happens when there is none. Raises NotAllowed."""
    refuse_others(by, user)
    pending = _locked(user)
    if pending is not None:
        _call_off(by, pending, outcome="canceled")


@transaction.atomic
def complete_mailbox_change(*, by: Actor, user: User) -> None:
    """Make the change without the old mailbox, after its fourteen days.

    The caller has asked for the password and the second factor just now. Raises NotAllowed, MailboxTaken, and
    ChangeMustWait while the new mailbox is not proven or the days are not over.
    """
    refuse_others(by, user)
    pending = _locked(user)
    if pending is None or not pending.may_be_made_alone:
        raise ChangeMustWait
    _make(by, pending)


def warn_old_mailboxes() -> int:
    """Write again to old mailboxes that have not answered; returns how many were due. Each warning is one mail."""
    warned = 0
    for number, after in enumerate(WARNINGS, start=1):
        due = PendingMailbox.objects.filter(agreed_at=None, requested_at__lte=timezone.now() - after).exclude(proven_at=None)
        for key in list(due.order_by("requested_at").values_list("pk", flat=True)[:500]):
            with unit_of_work():
                pending = due.select_for_update().filter(pk=key).first()
                if pending is not None and not pending.is_over:
                    queue_mail(
                        by=CHANGES,
                        template="accounts-change-asked",
                        subject=pending.subject_id,
                        object=Reference.to(pending),
                        locale=pending.user.locale,
                        occasion=f"warning-{number}",
                    )
                    warned += 1
    return warned


def forget_unproven_changes() -> int:
    """Call off the changes whose new mailbox has not answered within a day; returns how many."""
    stale = PendingMailbox.objects.filter(proven_at=None, requested_at__lt=timezone.now() - PendingMailbox.PROVEN_WITHIN)
    forgotten = 0
    for key in list(stale.order_by("requested_at").values_list("pk", flat=True)[:500]):
        with unit_of_work():
            pending = stale.select_for_update(of=("self",)).select_related("user").filter(pk=key).first()
            if pending is not None:
                _call_off(CHANGES, pending, outcome="not_proven")
                forgotten += 1
    return forgotten


def _answered(token: str, kind: AccountToken.Kind) -> PendingMailbox:
    """The change that this link is about, locked, its link spent.

    The address is locked before the links, as everywhere, so that two who answer at once wait for each other.
    """
    pending = _locked(find_token(token, kind).user)
    if pending is None or pending.is_over:
        raise TokenInvalid
    use_token(token, kind)
    return pending


def _locked(user: User) -> PendingMailbox | None:
    found = PendingMailbox.objects.select_for_update(of=("self",)).select_related("user")
    return found.filter(subject_id=user.subject_id).first()


def _make_if_answered(by: Actor, pending: PendingMailbox) -> bool:
    if pending.proven_at is None or pending.agreed_at is None:
        return False
    _make(by, pending)
    return True


def _make(by: Actor, pending: PendingMailbox) -> None:
    """Use the new address from now on; links mailed to the old one stop working."""
    user = pending.user
    with _opened(user) as grant:
        email = grant.open(pending.email)
        claim_mailbox(user, email)
        user.details.email = email
        user.details.save(update_fields=["email"])
    drop_mailbox_change(user)
    AccountToken.objects.filter(user=user, kind=AccountToken.Kind.RESET).delete()
    record(Event.DETAILS_CORRECTED, by=by, subject=user.subject_id, object=user, fields=["email"])


def _opened(user: User) -> AbstractContextManager[Grant]:
    return open_access(by=user.actor, purpose=Purpose.ACCOUNT, subject=user.subject_id, writes=Event.DATA_CORRECTED)


def _call_off(by: Actor, pending: PendingMailbox, outcome: str) -> None:
    drop_mailbox_change(pending.user)
    record(Event.MAILBOX_CHANGE_CANCELED, by=by, subject=pending.subject_id, object=pending, outcome=outcome)
