"""Set the second factor up, check it, turn it off, and start anew after it was lost."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import NewEntry, Reference, record, record_many
from marketplace.accounts.actions.details import refuse_others
from marketplace.accounts.actions.recovery_codes import use_recovery_code
from marketplace.accounts.actions.sessions import delete_sessions
from marketplace.accounts.codes import APP_DIGITS, enrollment_uri, matching_step, new_secret
from marketplace.accounts.errors import AlreadyEnrolled, NoSecondFactor, NotAllowed, TokenInvalid
from marketplace.accounts.models import AccountToken, RecoveryCodes, SecondFactor, User
from marketplace.accounts.tokens import find_token, use_token
from privacy.access.gate import open_access
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor, Role
from privacy.rights.attempts import confirm_password
from privacy.vault.fields import sealed_fields
from privacy.vault.identifiers import uuid7

SECOND_FACTOR_CHECK = Actor.job("second-factor")
UNFINISHED_FOR = timedelta(days=1)


@transaction.atomic
def enroll_second_factor(*, by: Actor, user: User) -> SecondFactor:
    """Make the secret that an authenticator app will share; in force once a first code was right.

    Asking again before that gives the same one. Raises AlreadyEnrolled afterwards.
    """
    existing = _locked(user)
    if existing is not None:
        if existing.confirmed_at is not None:
            raise AlreadyEnrolled
        return existing
    with open_access(by=SECOND_FACTOR_CHECK, purpose=Purpose.SECURITY, subject=user.subject_id, writes=Event.DATA_COLLECTED):
        return SecondFactor.objects.create(subject_id=user.subject_id, user=user, secret=new_secret())


@transaction.atomic
def confirm_second_factor(*, by: Actor, user: User, code: str, keep: str = "") -> bool:
    """Put the second factor in force if the code is right; every session but ``keep`` ends, and the person is told.

    Raises AlreadyEnrolled.
    """
    factor = _locked(user)
    if factor is not None and factor.confirmed_at is not None:
        raise AlreadyEnrolled
    if factor is None or not _takes(factor, code):
        return False
    factor.confirmed_at = timezone.now()
    factor.save(update_fields=["last_used_step", "confirmed_at"])
    AccountToken.objects.filter(user=user, kind=AccountToken.Kind.ENROLL).delete()
    delete_sessions(user, keep=keep)
    record(Event.SECOND_FACTOR_ENROLLED, by=by, subject=user.subject_id, object=user)
    _tell(by, user, "accounts-second-factor-on")
    return True


@transaction.atomic
def verify_second_factor(*, by: Actor, user: User, code: str) -> bool:
    """Whether the code of the app is right and was never used; never for a second factor that is not in force."""
    factor = _locked(user)
    is_in_force = factor is not None and factor.confirmed_at is not None and factor.reset_at is None
    if factor is None or not is_in_force or not _takes(factor, code):
        record(Event.SECOND_FACTOR_REFUSED, by=by, subject=user.subject_id, object=user, outcome="refused")
        return False
    factor.save(update_fields=["last_used_step"])
    record(Event.SECOND_FACTOR_PASSED, by=by, subject=user.subject_id, object=user)
    return True


def pass_second_factor(*, by: Actor, user: User, code: str) -> bool:
    """Whether this is a right code of the app, or a recovery code that was never used."""
    check = verify_second_factor if len(code) == APP_DIGITS else use_recovery_code
    return check(by=by, user=user, code=code)


@transaction.atomic
def remove_second_factor(*, by: Actor, user: User, keep: str = "") -> None:
    """Turn one's own second factor off, its recovery codes with it; every session but ``keep`` ends, the person is told.

    The caller has asked for the password and a code just now. Staff cannot sign in before they have set up another.
    Raises NotAllowed for somebody else's, NoSecondFactor without one.
    """
    refuse_others(by, user)
    if not _forget_factor(user):
        raise NoSecondFactor
    delete_sessions(user, keep=keep)
    record(Event.SECOND_FACTOR_REMOVED, by=by, subject=user.subject_id, object=user)
    _tell(by, user, "accounts-second-factor-off")


@transaction.atomic
def reset_second_factor(*, by: Actor, user: User) -> None:
    """After somebody has lost app and recovery codes: neither works from now on, and all sessions end.

    They come back with the password and a link mailed to them (``open_enrollment``). For administrators, and not
    for oneself. Raises NotAllowed; NoSecondFactor for a customer without one.
    """
    if by.role not in {Role.ADMINISTRATOR, Role.JOB} or by.is_subject(user.subject_id) or not user.is_active:
        raise NotAllowed
    factor = _locked(user)
    if factor is None and not user.is_staff:
        raise NoSecondFactor
    if factor is not None:
        factor.reset_at = timezone.now()
        factor.save(update_fields=["reset_at"])
    RecoveryCodes.objects.filter(user=user).delete()
    AccountToken.objects.filter(user=user, kind=AccountToken.Kind.ENROLL).delete()
    delete_sessions(user)
    record(Event.SECOND_FACTOR_RESET, by=by, subject=user.subject_id, object=user)
    _tell(by, user, "accounts-second-factor-reset")


@transaction.atomic
def send_enrollment_link(*, by: Actor, user: User) -> None:
    """Mail the link once more, to somebody who is waiting to set the second factor up. Raises NotAllowed."""
    factor = SecondFactor.objects.filter(subject_id=user.subject_id).first()
    is_waiting = user.is_staff if factor is None or factor.confirmed_at is None else factor.reset_at is not None
    if not is_waiting:
        raise NotAllowed
    _tell(by, user, "accounts-second-factor-reset")


@transaction.atomic
def open_enrollment(*, by: Actor, token: str, password: str) -> User:
    """Forget a second factor that was reset, for whoever reads the mailbox and knows the password.

    Raises TokenInvalid, WrongPassword or TooManyAttempts; after the last two the link still works.
    """
    user = find_token(token, AccountToken.Kind.ENROLL).user
    confirm_password(user, password)
    use_token(token, AccountToken.Kind.ENROLL)
    factor = _locked(user)
    if factor is not None and factor.confirmed_at is not None and factor.reset_at is None:
        raise TokenInvalid
    _forget_factor(user)
    record(Event.SECOND_FACTOR_REMOVED, by=by, subject=user.subject_id, object=user)
    return user


@transaction.atomic
def hand_over_second_factor(*, by: Actor, user: User) -> str:
    """Put a new secret in force at once and return its URI, for whoever stands beside the person.

    No page shows it afterwards, so that the password alone is never enough. Raises AlreadyEnrolled.
    """
    _secret, uri = enrollment_of(by=by, user=user)
    SecondFactor.objects.filter(subject_id=user.subject_id).update(confirmed_at=timezone.now())
    record(Event.SECOND_FACTOR_ENROLLED, by=by, subject=user.subject_id, object=user)
    return uri


@transaction.atomic
def enrollment_of(*, by: Actor, user: User) -> tuple[str, str]:
    """(secret, URI for an authenticator app), as long as the enrollment is not finished. Raises AlreadyEnrolled."""
    factor = enroll_second_factor(by=by, user=user)
    with open_access(by=SECOND_FACTOR_CHECK, purpose=Purpose.SECURITY, subject=user.subject_id) as grant:
        secret = grant.open(factor.secret)
    return secret, enrollment_uri(secret, f"{user.role} {user.pk.hex[-6:]}")


def forget_unfinished_factors() -> int:
    """Delete secrets whose first code was not given within a day; returns how many."""
    sealed = sealed_fields(SecondFactor)
    with transaction.atomic():
        stale = SecondFactor.objects.filter(confirmed_at=None, begun_at__lt=timezone.now() - UNFINISHED_FOR)
        rows = list(stale.select_for_update(skip_locked=True).values_list("pk", "subject_id")[:5000])
        record_many(
            NewEntry(
                event=Event.DATA_PURGED,
                by=SECOND_FACTOR_CHECK,
                subject=subject_id,
                object=Reference("accounts.secondfactor", key),
                purpose=Purpose.RIGHTS.value,
                categories=[field.category.value for field in sealed],
                fields=[field.path for field in sealed],
            )
            for key, subject_id in rows
        )
        deleted, _ = SecondFactor.objects.filter(pk__in=[key for key, _ in rows]).delete()
    return deleted


def _locked(user: User) -> SecondFactor | None:
    return SecondFactor.objects.select_for_update().filter(subject_id=user.subject_id).first()


def _takes(factor: SecondFactor, code: str) -> bool:
    """Whether the app shows this code now; notes its half-minute, so that it is not taken again."""
    secret = _secret_of(factor)
    step = matching_step(secret, code, after=factor.last_used_step) if secret else None
    if step is None:
        return False
    factor.last_used_step = step
    return True


def can_check_codes(user: User) -> bool:
    """False when what we share with this person's app is damaged: no code of it can be right any more."""
    factor = SecondFactor.objects.filter(subject_id=user.subject_id).first()
    return factor is None or _secret_of(factor) is not None


def _secret_of(factor: SecondFactor) -> str | None:
    with open_access(by=SECOND_FACTOR_CHECK, purpose=Purpose.SECURITY, subject=factor.subject_id) as grant:
        return grant.read(factor.secret)


def _forget_factor(user: User) -> bool:
    RecoveryCodes.objects.filter(user=user).delete()
    deleted, _ = SecondFactor.objects.filter(subject_id=user.subject_id).delete()
    return deleted > 0


def _tell(by: Actor, user: User, template: str) -> None:
    queue_mail(by=by, template=template, subject=user.subject_id, object=Reference.to(user), locale=user.locale, occasion=str(uuid7()))
