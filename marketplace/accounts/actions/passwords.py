"""Choose a new password, signed in or by mail. The page never looks an address up; a worker does."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from marketplace.accounts.actions.details import refuse_others
from marketplace.accounts.actions.mailboxes import drop_mailbox_change
from marketplace.accounts.actions.sessions import delete_sessions
from marketplace.accounts.lockout import forget_failures, mailbox_digests
from marketplace.accounts.models import AccountToken, PasswordResetRequest, User
from marketplace.accounts.tokens import use_token
from privacy.access.gate import unit_of_work
from privacy.access.limits import forget_tries
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor
from privacy.vault.identifiers import uuid7

ANSWERS_KEPT = timedelta(days=1)


@transaction.atomic
def request_password_reset(*, by: Actor, email: str, locale: str) -> PasswordResetRequest:
    """Queue the question whether this address has an account; the answer goes to its mailbox only."""
    request = PasswordResetRequest(digests=mailbox_digests(email), locale=locale)
    request.enqueue()
    record(Event.PASSWORD_RESET_REQUESTED, by=by, object=request)
    return request


def answer_password_reset(*, request: PasswordResetRequest) -> None:
    """Mail a link to the account, if there is one, and forget which address was asked about."""
    with unit_of_work():
        if request.digests is None:
            return
        user = User.objects.filter(mailbox_index__digest__in=request.digests, is_active=True).first()
        if user is not None:
            queue_mail(template="accounts-reset", subject=user.subject_id, object=Reference.to(request), locale=user.locale)
        request.digests = None
        request.save(update_fields=["digests"])


@transaction.atomic
def reset_password(*, by: Actor, token: str, password: str) -> User:
    """Set a new password by a mailed token, end every session and lift a lock-out. Raises TokenInvalid.

    Mails are counted anew: all links are spent now, and whoever is locked out once more needs another.
    A change of the mailbox that is under way ends too: whoever was signed in may have asked for it.
    """
    user = use_token(token, AccountToken.Kind.RESET)
    user.set_password(password)
    user.save(update_fields=["password"])
    forget_failures(bytes(user.mailbox_index.digest))
    forget_tries("reset", bytes(user.mailbox_index.digest))
    _finish_change(by, user)
    return user


@transaction.atomic
def change_password(*, by: Actor, user: User, password: str, keep: str = "") -> None:
    """Choose another password while signed in; all sessions but ``keep`` end, and so do links to choose one by mail.

    The caller has asked for the old one just now. A change of the mailbox that is under way ends too: whoever was
    signed in may have asked for it. Raises NotAllowed for somebody else's account.
    """
    refuse_others(by, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    AccountToken.objects.filter(user=user, kind=AccountToken.Kind.RESET).delete()
    _finish_change(by, user, keep)


def forget_answered_resets() -> int:
    """Delete the rows of requests that ended more than a day ago; returns how many."""
    with transaction.atomic():
        ended = PasswordResetRequest.objects.filter(finished_at__lt=timezone.now() - ANSWERS_KEPT)
        keys = list(ended.values_list("pk", flat=True)[:5000])
        deleted, _ = PasswordResetRequest.objects.filter(pk__in=keys).delete()
    return deleted


def _finish_change(by: Actor, user: User, keep: str = "") -> None:
    delete_sessions(user, keep=keep)
    drop_mailbox_change(user)
    record(Event.PASSWORD_CHANGED, by=by, subject=user.subject_id, object=user)
    queue_mail(
        by=by,
        template="accounts-password-changed",
        subject=user.subject_id,
        object=Reference.to(user),
        locale=user.locale,
        occasion=str(uuid7()),
    )
