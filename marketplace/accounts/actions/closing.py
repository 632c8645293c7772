"""End an account."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from marketplace.accounts.actions.sessions import delete_sessions
from marketplace.accounts.models import AccountToken, MailboxIndex, PendingMailbox, RecoveryCodes, SecondFactor, User
from privacy.policy.roles import Actor
from privacy.vault.models import Subject


@transaction.atomic
def close_account(*, by: Actor, subject: Subject | UUID) -> None:
    """End an account: sessions, links, index, second factor and recovery codes go at once, the details with the next purge.

    The bare row stays, unusable. Idempotent; for a person without an account it does nothing.
    """
    subject_id = subject.pk if isinstance(subject, Subject) else subject
    user = User.objects.select_for_update().filter(subject_id=subject_id).first()
    if user is None or user.closed_at is not None:
        return
    delete_sessions(user)
    AccountToken.objects.filter(user=user).delete()
    MailboxIndex.objects.filter(user=user).delete()
    RecoveryCodes.objects.filter(user=user).delete()
    SecondFactor.objects.filter(subject_id=subject_id).delete()
    PendingMailbox.objects.filter(subject_id=subject_id).delete()
    user.is_active = False
    user.locale = User._meta.get_field("locale").get_default()
    user.closed_at = timezone.now()
    user.save(update_fields=["is_active", "locale", "closed_at"])  # the password goes by a trigger: staff may not touch it
    record(Event.ACCOUNT_CLOSED, by=by, subject=subject_id, object=user)
