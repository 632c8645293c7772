"""Give and withdraw a permission (COLLECT-3, RIGHTS-4)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import get_language

from audit.events import Event
from audit.record import record
from privacy.consent.errors import NotConsentable, NotYourConsent
from privacy.consent.models import ConsentEntry
from privacy.consent.queries import decisions
from privacy.consent.statements import statement_for
from privacy.declarations.purposes import PURPOSES, Ground, Purpose
from privacy.policy.queries import policy_in_force
from privacy.policy.roles import Actor
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject


@transaction.atomic
def give_consent(*, by: Actor, subject: Subject, purpose: Purpose, locale: str = "") -> ConsentEntry | None:
    """Enter the person's yes, in the words shown to them in ``locale``; None when it stood already.

    Raises NotYourConsent when somebody else answers for the person, NotConsentable for another ground.
    """
    return _decide(
        by,
        subject,
        purpose,
        locale,
        ConsentEntry.Decision.GIVEN,
        Event.PERMISSION_GIVEN,
    )


@transaction.atomic
def withdraw_consent(*, by: Actor, subject: Subject, purpose: Purpose, locale: str = "") -> ConsentEntry | None:
    """Enter the person's no; holds from the next read on. None when there was no yes to withdraw."""
    return _decide(
        by,
        subject,
        purpose,
        locale,
        ConsentEntry.Decision.WITHDRAWN,
        Event.PERMISSION_WITHDRAWN,
    )


def _decide(
    by: Actor,
    subject: Subject,
    purpose: Purpose,
    locale: str,
    decision: ConsentEntry.Decision,
    event: Event,
) -> ConsentEntry | None:
    if not by.is_subject(subject.pk):
        raise NotYourConsent
    policy = policy_in_force()
    is_in_force = purpose in policy.purposes or decision == ConsentEntry.Decision.WITHDRAWN
    if PURPOSES[purpose].ground != Ground.CONSENT or not is_in_force:
        raise NotConsentable(purpose)
    # The subject's row orders two decisions made at once: without the lock both read the same last one.
    Subject.objects.select_for_update(no_key=True).get(pk=subject.pk)
    last = decisions().filter(subject=subject, purpose=purpose).order_by("-id").first()
    is_given = last is not None and last.holds  # type: ignore[attr-defined]
    stands = ConsentEntry.Decision.GIVEN if is_given else ConsentEntry.Decision.WITHDRAWN
    if stands == decision:
        return None
    entry = ConsentEntry.objects.create(
        id=_after(last),
        subject=subject,
        purpose=purpose,
        decision=decision,
        statement=statement_for(purpose, policy, locale or get_language() or "en"),
    )
    record(event, by=by, subject=subject, object=entry, purpose=purpose)
    return entry


def _after(last: ConsentEntry | None) -> UUID:
    """The last decision is the one with the greatest id: of two machines whose clocks differ, the later one must win."""
    id = uuid7()
    return id if last is None or id > last.pk else UUID(int=last.pk.int + 1)
