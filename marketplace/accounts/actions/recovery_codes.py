"""Codes on paper for the day the authenticator app is lost: shown once, each good once."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from marketplace.accounts.codes import new_recovery_codes, new_salt, recovery_digest
from marketplace.accounts.errors import NoSecondFactor, NotAllowed
from marketplace.accounts.models import RecoveryCodes, SecondFactor, User
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor, Role
from privacy.vault.identifiers import uuid7


@transaction.atomic
def issue_recovery_codes(*, by: Actor, user: User) -> list[str]:
    """Ten new codes, the only time they can be read; earlier ones stop working, and the person is told.

    The caller has asked for the password just now. Raises NotAllowed for somebody else's, and NoSecondFactor when
    there is nothing in force that they could stand in for.
    """
    if not by.is_subject(user.subject_id) and by.role != Role.JOB:
        raise NotAllowed
    # The second factor's row is locked, so that codes are never issued beside its removal.
    factor = SecondFactor.objects.select_for_update().filter(subject_id=user.subject_id, reset_at=None).first()
    if factor is None or factor.confirmed_at is None:
        raise NoSecondFactor
    codes, salt = new_recovery_codes(), new_salt()
    digests = [recovery_digest(code, salt) for code in codes]
    defaults = {"salt": salt, "digests": digests, "issued_at": timezone.now()}
    _row, is_first = RecoveryCodes.objects.update_or_create(user=user, defaults=defaults)
    record(Event.RECOVERY_CODES_ISSUED, by=by, subject=user.subject_id, object=user)
    if not is_first:
        _tell(by, user, "accounts-recovery-codes-new")
    return codes


@transaction.atomic
def use_recovery_code(*, by: Actor, user: User, code: str) -> bool:
    """Whether this is one of the person's codes; it is spent then, and the person is told by mail."""
    left = RecoveryCodes.objects.select_for_update().filter(user=user).first()
    digest = recovery_digest(code, bytes(left.salt) if left else bytes(16))  # as slow without any codes
    if left is None or digest not in left.digests:
        record(Event.SECOND_FACTOR_REFUSED, by=by, subject=user.subject_id, object=user, outcome="refused")
        return False
    left.digests.remove(digest)
    left.save(update_fields=["digests"])
    record(Event.RECOVERY_CODE_USED, by=by, subject=user.subject_id, object=user)
    _tell(by, user, "accounts-recovery-code-used")
    return True


def _tell(by: Actor, user: User, template: str) -> None:
    queue_mail(by=by, template=template, subject=user.subject_id, object=Reference.to(user), locale=user.locale, occasion=str(uuid7()))
