"""Appoint staff and give them roles."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from marketplace.accounts.actions.mailboxes import claim_mailbox
from marketplace.accounts.actions.sessions import delete_sessions
from marketplace.accounts.errors import NotAllowed
from marketplace.accounts.models import AccountDetails, User
from privacy.access.gate import open_access
from privacy.declarations.purposes import Purpose
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
    with open_access(by=APPOINTMENT, purpose=Purpose.ACCOUNT, subject=subject):
        AccountDetails.objects.create(subject=subject, user=user, email=email, name=name)
    claim_mailbox(user, email)
    record(Event.STAFF_APPOINTED, by=by, subject=subject, object=user, outcome=role)
    return user


@transaction.atomic
def change_role(*, by: Actor, user: User, role: Role) -> None:
    """Give a member of staff another role, and end their sessions. Raises NotAllowed.

    Not for customers, whose data rests on other grounds, and not for oneself.
    """
    _refuse_appointing(by, role)
    if not user.is_staff or by.is_subject(user.subject_id):
        raise NotAllowed
    user.role = role
    user.save(update_fields=["role"])
    delete_sessions(user)
    record(Event.STAFF_APPOINTED, by=by, subject=user.subject_id, object=user, outcome=role)


def _refuse_appointing(by: Actor, role: Role) -> None:
    if by.role not in {Role.ADMINISTRATOR, Role.JOB} or role not in STAFF_ROLES:
        raise NotAllowed
