"""Enroll and check the second factor."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from marketplace.accounts.codes import enrollment_uri, matching_step, new_secret
from marketplace.accounts.errors import AlreadyEnrolled
from marketplace.accounts.models import SecondFactor, User
from privacy.access.gate import open_access
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor

SECOND_FACTOR_CHECK = Actor.job("second-factor")


@transaction.atomic
def enroll_second_factor(*, by: Actor, user: User) -> SecondFactor:
    """Make the secret that an authenticator app will share; in force once a first code was right.

    Asking again before that gives the same one. Raises AlreadyEnrolled afterwards.
    """
    existing = SecondFactor.objects.select_for_update().filter(subject_id=user.subject_id).first()
    if existing is not None:
        if existing.confirmed_at is not None:
            raise AlreadyEnrolled
        return existing
    with open_access(by=SECOND_FACTOR_CHECK, purpose=Purpose.SECURITY, subject=user.subject_id):
        return SecondFactor.objects.create(subject_id=user.subject_id, user=user, secret=new_secret())


@transaction.atomic
def verify_second_factor(*, by: Actor, user: User, code: str) -> bool:
    """Whether the code is right and was never used. The first right one puts the second factor in force."""
    factor = SecondFactor.objects.select_for_update().filter(subject_id=user.subject_id).first()
    if factor is None:
        return False
    with open_access(by=SECOND_FACTOR_CHECK, purpose=Purpose.SECURITY, subject=user.subject_id) as grant:
        step = matching_step(grant.open(factor.secret), code, after=factor.last_used_step)
    if step is None:
        record(Event.SECOND_FACTOR_REFUSED, by=by, subject=user.subject_id, object=user, outcome="refused")
        return False
    is_first = factor.confirmed_at is None
    factor.last_used_step = step
    factor.confirmed_at = factor.confirmed_at or timezone.now()
    factor.save(update_fields=["last_used_step", "confirmed_at"])
    event = Event.SECOND_FACTOR_ENROLLED if is_first else Event.SECOND_FACTOR_PASSED
    record(event, by=by, subject=user.subject_id, object=user)
    return True


@transaction.atomic
def hand_over_second_factor(*, by: Actor, user: User) -> str:
    """Put a new secret in force at once and return its URI, for whoever stands beside the person.

    No page shows it afterwards, so that the password alone is never enough. Raises AlreadyEnrolled.
    """
    _secret, uri = enrollment_of(by=by, user=user)
    SecondFactor.objects.filter(subject_id=user.subject_id).update(confirmed_at=timezone.now())
    record(Event.SECOND_FACTOR_ENROLLED, by=by, subject=user.subject_id, object=user)
    return uri


def enrollment_of(*, by: Actor, user: User) -> tuple[str, str]:
    """(secret, URI for an authenticator app), as long as the enrollment is not finished. Raises AlreadyEnrolled."""
    factor = enroll_second_factor(by=by, user=user)
    with open_access(by=SECOND_FACTOR_CHECK, purpose=Purpose.SECURITY, subject=user.subject_id) as grant:
        secret = grant.open(factor.secret)
    return secret, enrollment_uri(secret, f"{user.role} {user.pk.hex[-6:]}")
