"""Who holds what about whom, and what they signed (USE-5, USE-6, RIGHTS-6)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from privacy.declarations.purposes import Purpose
from privacy.sharing.models import Agreement, Approval, Disclosure, FollowUp, Recipient


def agreements_in_force(recipient: Recipient) -> list[Agreement]:
    """What the recipient has signed that holds today, the one that ends last first."""
    today = timezone.now().date()
    return list(recipient.agreements.filter(starts_on__lte=today, ends_on__gte=today).order_by("-ends_on"))


def disclosures_about(subject_id: UUID) -> QuerySet[Disclosure]:
    """What went out about this person, newest first."""
    return Disclosure.objects.filter(subject_id=subject_id).select_related("recipient").order_by("-at")


def holders_of(subject_id: UUID, categories: Iterable[str] | None = None) -> list[Recipient]:
    """Every recipient that ever received something (of these categories) about this person."""
    received = Disclosure.objects.filter(subject_id=subject_id)
    if categories is not None:
        received = received.filter(categories__overlap=list(categories))
    return list(Recipient.objects.filter(pk__in=received.values("recipient_id")).order_by("name"))


def has_approved(subject_id: UUID, recipient: Recipient, purpose: Purpose) -> bool:
    last = Approval.objects.filter(subject_id=subject_id, recipient=recipient, purpose=purpose).order_by("-id").first()
    return last is not None and last.is_given


def open_follow_ups() -> QuerySet[FollowUp]:
    return FollowUp.objects.filter(confirmed_at__isnull=True).select_related("recipient").order_by("asked_at")
