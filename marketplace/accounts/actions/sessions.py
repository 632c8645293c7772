"""Sign in and out."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth import login, logout
from django.db import transaction
from django.http import HttpRequest

from audit.events import Event
from audit.record import record
from marketplace.accounts.actions.details import refuse_others
from marketplace.accounts.errors import NotAllowed, SessionUnknown
from marketplace.accounts.lockout import forget_failures, has_just_locked_out, is_locked_out
from marketplace.accounts.models import AccountSession, ApiToken, User
from marketplace.accounts.queries import account_with_mailbox
from privacy.access.guests import end_guest_session
from privacy.policy.roles import Actor, Role

MAILBOX_BACKEND = "marketplace.accounts.backends.MailboxBackend"


@transaction.atomic
def start_session(*, by: Actor, request: HttpRequest, user: User) -> None:
    """Sign ``user`` in on this browser, where no guest stays let in. Where one is needed, the second factor still has to follow."""
    end_guest_session(request)
    login(request, user, backend=MAILBOX_BACKEND)
    forget_failures(bytes(user.mailbox_index.digest))
    record(Event.SESSION_STARTED, by=by, subject=user.subject_id, object=user)


@transaction.atomic
def refuse_session(*, by: Actor, request: HttpRequest, email: str) -> None:
    """Note a failed sign-in. Tries during a lock-out leave no entry: they could fill the log."""
    if is_locked_out(request) and not has_just_locked_out(request):
        return
    user = account_with_mailbox(email)
    event = Event.ACCOUNT_LOCKED_OUT if user and has_just_locked_out(request) else Event.SESSION_REFUSED
    record(event, by=by, subject=user.subject_id if user else None, object=user, outcome="refused")


@transaction.atomic
def end_session(*, by: Actor, request: HttpRequest) -> None:
    """Sign out on this browser, as a guest too."""
    user = request.user
    logout(request)
    if by.id is not None:
        record(Event.SESSION_ENDED, by=by, subject=by.id, object=user if isinstance(user, User) else None)


@transaction.atomic
def end_sessions(*, by: Actor, user: User) -> int:
    """Sign ``user`` out everywhere; returns on how many browsers. Raises NotAllowed.

    Oneself, or for others an administrator, a privacy officer, security or support.
    """
    may = {Role.ADMINISTRATOR, Role.PRIVACY_OFFICER, Role.SECURITY, Role.SUPPORT, Role.JOB}
    if not by.is_subject(user.subject_id) and by.role not in may:
        raise NotAllowed
    ended = delete_sessions(user)
    record(Event.SESSION_ENDED, by=by, subject=user.subject_id, object=user)
    return ended


@transaction.atomic
def end_listed_session(*, by: Actor, user: User, reference: UUID) -> None:
    """Sign oneself out on one browser of the list. Raises NotAllowed, and SessionUnknown for one that is not there."""
    refuse_others(by, user)
    deleted, _ = AccountSession.objects.filter(user=user, session_key__startswith=reference.hex).delete()
    if not deleted:
        raise SessionUnknown
    record(Event.SESSION_ENDED, by=by, subject=user.subject_id, object=user)


@transaction.atomic
def end_other_sessions(*, by: Actor, user: User, keep: str) -> int:
    """Sign oneself out everywhere but in the session of this digest; returns on how many browsers. Raises NotAllowed."""
    refuse_others(by, user)
    ended = delete_sessions(user, keep=keep)
    record(Event.SESSION_ENDED, by=by, subject=user.subject_id, object=user, outcome="others")
    return ended


def delete_sessions(user: User, keep: str = "") -> int:
    """All but the one of this digest, and every token for programs: whoever shuts the doors means these too.

    Without an entry of its own, for actions that end sessions among other things; returns how many sessions ended.
    """
    deleted, _ = AccountSession.objects.filter(user=user).exclude(session_key=keep).delete()
    ApiToken.objects.filter(user=user).delete()
    return deleted
