"""The life of a staff account: invited or appointed, given roles, ended.

Whoever changes staff holds the rows of all administrators meanwhile. So two administrators who take the role from
each other at the same moment are one after the other, and the second is no administrator any more.
"""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from marketplace.accounts.actions.closing import close_account
from marketplace.accounts.actions.mailboxes import claim_mailbox
from marketplace.accounts.actions.sessions import delete_sessions
from marketplace.accounts.errors import LastAdministrator, NotAllowed
from marketplace.accounts.models import AccountDetails, AccountToken, User
from marketplace.accounts.tokens import use_token
from privacy.access.gate import open_access
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.vault.models import Subject

APPOINTMENT = Actor.job("appointment")


@transaction.atomic
def appoint_staff(*, by: Actor, email: str, name: str, role: Role, password: str, locale: str = "en") -> User:
    """Open an account for a member of staff, its mailbox vouched for by the administrator (or the command) that asks.

    Raises NotAllowed, or MailboxTaken when the address has an account already.
    """
    _refuse_appointing(by, role)
    subject = Subject.objects.create(kind=Subject.Kind.STAFF)
    user = User(subject=subject, role=role, locale=locale, confirmed_at=timezone.now())
    user.set_password(password)
    user.save()
    with open_access(by=APPOINTMENT, purpose=Purpose.ACCOUNT, subject=subject, writes=Event.DATA_COLLECTED):
        AccountDetails.objects.create(subject=subject, user=user, email=email, name=name)
    claim_mailbox(user, email)
    record(Event.STAFF_APPOINTED, by=by, subject=subject, object=user, outcome=role)
    return user


@transaction.atomic
def invite_staff(*, by: Actor, invitation: UUID, email: str, role: Role, locale: str = "en") -> User:
    """Mail an invitation to join the staff; the account waits for its answer, without password, for three days.

    ``invitation`` is the id that the account gets: the same one again is the same invitation, mailed once. Nobody
    learns whether the address has an account: its mailbox alone is told. Raises NotAllowed.
    """
    _refuse_appointing(by, role)
    _administrators(by)
    try:
        with transaction.atomic():
            subject = Subject.objects.create(kind=Subject.Kind.STAFF)
            user = User(pk=invitation, subject=subject, role=role, locale=locale)
            user.set_unusable_password()
            user.save(force_insert=True)
    except IntegrityError:
        return _invited_before(invitation)
    with open_access(by=APPOINTMENT, purpose=Purpose.ACCOUNT, subject=subject, writes=Event.DATA_COLLECTED):
        AccountDetails.objects.create(subject=subject, user=user, email=email, name="")
    record(Event.STAFF_INVITED, by=by, subject=subject, object=user, outcome=role)
    queue_mail(by=by, template="accounts-invitation", subject=subject, object=Reference.to(user), locale=locale)
    return user


@transaction.atomic
def accept_invitation(*, by: Actor, token: str, name: str, password: str) -> User:
    """Make an invited account usable: whoever has the token reads the mailbox; the second factor has to follow.

    Raises TokenInvalid, or MailboxTaken when another account has confirmed the mailbox.
    """
    user = use_token(token, AccountToken.Kind.INVITE)
    with open_access(by=APPOINTMENT, purpose=Purpose.ACCOUNT, subject=user.subject_id, writes=Event.DATA_COLLECTED) as grant:
        claim_mailbox(user, grant.open(user.details.email))
        user.details.name = name
        user.details.save(update_fields=["name"])
    user.set_password(password)
    user.confirmed_at = timezone.now()
    user.save(update_fields=["password", "confirmed_at"])
    record(Event.STAFF_JOINED, by=by, subject=user.subject_id, object=user, outcome=user.role)
    return user


@transaction.atomic
def change_role(*, by: Actor, user: User, role: Role) -> None:
    """Give a member of staff another role, and end their sessions. Raises NotAllowed or LastAdministrator.

    Not for customers, whose data rests on other grounds, and not for oneself.
    """
    _refuse_appointing(by, role)
    user = _held(by, user)
    user.role = role
    user.save(update_fields=["role"])
    delete_sessions(user)
    record(Event.STAFF_APPOINTED, by=by, subject=user.subject_id, object=user, outcome=role)


@transaction.atomic
def dismiss_staff(*, by: Actor, user: User) -> None:
    """End the account of a member of staff who leaves, or an invitation: nothing of it opens anything from now on.

    Name and mailbox go with the next purge; the role stays, and so does what they did in the log. Not for oneself.
    Raises NotAllowed or LastAdministrator.
    """
    _refuse_changing(by)
    user = _held(by, user)
    record(Event.STAFF_LEFT, by=by, subject=user.subject_id, object=user, outcome=user.role)
    close_account(by=by, subject=user.subject_id)


def _held(by: Actor, user: User) -> User:
    """The member of staff as they are now, locked; not oneself, not a customer, not the last administrator."""
    administrators = _administrators(by)
    found = User.objects.select_for_update().filter(pk=user.pk, closed_at=None).first()
    if found is None or not found.is_staff or by.is_subject(found.subject_id):
        raise NotAllowed
    if found.pk in administrators and len(administrators) == 1:
        raise LastAdministrator
    return found


def _administrators(by: Actor) -> dict[UUID, UUID]:
    """Everybody who can administrate now, held until the transaction ends; subject by account.

    Raises NotAllowed for an actor who is not among them any more.
    """
    able = User.objects.filter(role=Role.ADMINISTRATOR, is_active=True, closed_at=None).exclude(confirmed_at=None)
    found = dict(able.select_for_update().order_by("pk").values_list("pk", "subject_id"))
    if by.role != Role.JOB and by.id not in found.values():
        raise NotAllowed
    return found


def _invited_before(invitation: UUID) -> User:
    user = User.objects.filter(pk=invitation).first()
    if user is None or not user.is_staff:
        raise NotAllowed
    return user


def _refuse_appointing(by: Actor, role: Role) -> None:
    _refuse_changing(by)
    if role not in STAFF_ROLES:
        raise NotAllowed


def _refuse_changing(by: Actor) -> None:
    if by.role not in {Role.ADMINISTRATOR, Role.JOB}:
        raise NotAllowed
