"""Change what an account holds about its person; the mailbox has a module of its own."""

from __future__ import annotations

from django.db import transaction

from audit.events import Event
from audit.record import record
from marketplace.accounts.errors import NotAllowed
from marketplace.accounts.models import User
from privacy.policy.roles import Actor


@transaction.atomic
def change_locale(*, by: Actor, user: User, locale: str) -> None:
    """Set the language of pages and mails. Raises NotAllowed for somebody else's account."""
    refuse_others(by, user)
    user.locale = locale
    user.save(update_fields=["locale"])
    record(Event.DETAILS_CORRECTED, by=by, subject=user.subject_id, object=user, fields=["locale"])


def refuse_others(by: Actor, user: User) -> None:
    """Raises NotAllowed unless the actor is the person whose account this is."""
    if not by.is_subject(user.subject_id):
        raise NotAllowed
