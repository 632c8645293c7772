"""Reads about accounts."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from audit.models import Entry
from audit.queries import entries_about
from marketplace.accounts.lockout import mailbox_digests
from marketplace.accounts.models import (
    AccountDetails,
    AccountSession,
    ApiToken,
    MailboxIndex,
    PendingMailbox,
    RecoveryCodes,
    SecondFactor,
    User,
)
from marketplace.accounts.security_events import SHOWN
from marketplace.accounts.tokens import token_digest
from privacy.alerts.actions import OFFICE
from privacy.alerts.kinds import role_for
from privacy.alerts.models import Alert
from privacy.policy.roles import STAFF_ROLES
from privacy.vault.blind_index import index_key_name
from privacy.vault.sealed import Sealed

FEW_CODES = 3


def account_with_mailbox(email: str) -> User | None:
    """The open account whose confirmed mailbox this is."""
    return User.objects.filter(mailbox_index__digest__in=mailbox_digests(email), is_active=True).first()


def is_mailbox_taken(email: str, by_other_than: UUID) -> bool:
    """True when another account has confirmed this mailbox. Never shown to whoever typed the address."""
    taken = User.objects.filter(mailbox_index__digest__in=mailbox_digests(email))
    return taken.exclude(pk=by_other_than).exists()


def mailboxes_under_other_keys() -> QuerySet[MailboxIndex]:
    """The entries that need a key which is not the first; when there are none, the second key can go."""
    return MailboxIndex.objects.exclude(key_name=index_key_name()).select_related("user__details").order_by("user_id")


def details_of(user: User) -> AccountDetails | None:
    """Name and mailbox of an account, sealed; None once it is closed."""
    return AccountDetails.objects.filter(user=user).first()


def details_of_subject(subject_id: UUID) -> AccountDetails | None:
    """Name and mailbox of a person's account, sealed."""
    return AccountDetails.objects.filter(subject_id=subject_id).first()


def details_of_subjects(subject_ids: Iterable[UUID]) -> QuerySet[AccountDetails]:
    """The same of several people, in one query."""
    return AccountDetails.objects.filter(subject_id__in=list(subject_ids))


def mailbox_of_subject(subject_id: UUID) -> Sealed | None:
    """The sealed address of the person, as ``privacy.mail`` asks for it."""
    details = details_of_subject(subject_id)
    return details.email if details else None


def open_sessions(user: User) -> QuerySet[AccountSession]:
    """Where this account is signed in, the most recently used first."""
    return AccountSession.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-seen_at", "-started_at", "pk")


def security_events(subject_id: UUID) -> QuerySet[Entry]:
    """What happened to the safety of this account, newest first; turn each into words with ``in_words``."""
    return entries_about(subject_id).filter(event__in=list(SHOWN))


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """This account's tokens for programs that still work, the newest first."""
    return ApiToken.objects.filter(user=user, expires_at__gt=timezone.now()).order_by("-created_at", "pk")


def token_with_secret(secret: str) -> ApiToken | None:
    """The token that this is the secret of, while it works; one query, with its account."""
    working = ApiToken.objects.filter(expires_at__gt=timezone.now(), user__is_active=True).select_related("user")
    return working.filter(digest=token_digest(secret)).first()


def second_factor_of(user: User) -> SecondFactor | None:
    """The second factor in force, read anew; it may be one that was reset."""
    return SecondFactor.objects.filter(subject_id=user.subject_id).exclude(confirmed_at=None).first()


def recovery_codes_left(user: User) -> int:
    codes = RecoveryCodes.objects.filter(user=user).first()
    return codes.codes_left if codes else 0


def mailbox_change_of(user: User) -> PendingMailbox | None:
    """The change of the mailbox that waits for answers."""
    pending = PendingMailbox.objects.filter(subject_id=user.subject_id).first()
    return None if pending is None or pending.is_over else pending


def invited_staff() -> QuerySet[User]:
    """Members of staff whose invitation is not answered yet."""
    return User.objects.filter(role__in=STAFF_ROLES, confirmed_at=None, closed_at=None)


def office_for(alert: Alert) -> QuerySet[User]:
    """The members of staff who are told of an alert: never whom it is about.

    Those of the role that looks after its kind, or whoever else may close it where that role has nobody.
    """
    free = User.objects.filter(is_active=True, closed_at=None).exclude(confirmed_at=None)
    free = free.exclude(subject_id__in=[id for id in (alert.actor_id, alert.subject_id) if id])
    responsible = free.filter(role=role_for(alert.kind))
    return responsible if responsible.exists() else free.filter(role__in=OFFICE)


def staff_without_second_factor() -> QuerySet[User]:
    """Members of staff who cannot get in until they set their second factor up."""
    waits = Q(second_factor=None) | Q(second_factor__confirmed_at=None) | Q(second_factor__reset_at__isnull=False)
    return User.objects.filter(waits, role__in=STAFF_ROLES, closed_at=None).exclude(confirmed_at=None)


def staff_short_of_recovery_codes() -> QuerySet[User]:
    """Members of staff who would need an administrator soon after losing their authenticator app."""
    few = Q(recovery_codes=None) | Q(recovery_codes__codes_left__lt=FEW_CODES)
    return User.objects.filter(few, role__in=STAFF_ROLES, closed_at=None).exclude(second_factor__confirmed_at=None)
