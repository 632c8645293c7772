"""Who holds what about whom, and what they signed (USE-5, USE-6, RIGHTS-6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Count, Max, Min, Prefetch, QuerySet
from django.utils import timezone

from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.queries import purposes_in_force
from privacy.sharing.models import Agreement, Approval, Disclosure, FollowUp, Recipient


def agreements_in_force(recipient: Recipient) -> list[Agreement]:
    """What the recipient has signed that holds today, the one that ends last first."""
    return list(holding_today(recipient.agreements.all()))


def holding_today(agreements: QuerySet[Agreement]) -> QuerySet[Agreement]:
    today = timezone.now().date()
    return agreements.filter(starts_on__lte=today, ends_on__gte=today).order_by("-ends_on")


def recipients_losing_cover(*, within: timedelta) -> list[tuple[str, date]]:
    """Name and last day of each recipient whose last agreement ends in this time, the soonest first."""
    today = timezone.now().date()
    last_days = Recipient.objects.annotate(last_day=Max("agreements__ends_on")).filter(last_day__range=(today, today + within))
    return list(last_days.order_by("last_day").values_list("name", "last_day"))


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


def follow_ups_about(subject_id: UUID) -> QuerySet[FollowUp]:
    """Who was asked to correct or erase what they hold about this person, and who has confirmed it; newest first."""
    return FollowUp.objects.filter(subject_id=subject_id).select_related("recipient").order_by("-asked_at")


@dataclass(frozen=True)
class Holder:
    """One recipient of one person's data: what, how often, under which agreements of today, and what it was told."""

    recipient: Recipient
    times: int
    first_at: datetime
    last_at: datetime
    agreements: list[Agreement]
    purposes: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    follow_ups: list[FollowUp] = field(default_factory=list)


def holders_about(subject_id: UUID, recipient: Recipient | None = None) -> list[Holder]:
    """Everybody who received something of this person, the latest first, in four queries; or one of them alone."""
    received = Disclosure.objects.filter(subject_id=subject_id, **({"recipient": recipient} if recipient else {}))
    totals = received.values("recipient_id").annotate(times=Count("pk"), first_at=Min("at"), last_at=Max("at")).order_by("-last_at")
    numbers = {row.pop("recipient_id"): row for row in totals}
    agreements = Prefetch("agreements", holding_today(Agreement.objects.all()), to_attr="agreements_today")
    recipients = {each.pk: each for each in Recipient.objects.filter(pk__in=numbers).prefetch_related(agreements)}
    holders = {pk: Holder(recipients[pk], agreements=recipients[pk].agreements_today, **row) for pk, row in numbers.items()}
    for pk, purpose, paths in received.order_by("purpose").values_list("recipient_id", "purpose", "fields").distinct():
        _extend(holders[pk].purposes, [str(Purpose(purpose).label)])
        _extend(holders[pk].fields, words_of_fields(paths))
    for follow_up in follow_ups_about(subject_id):
        if follow_up.recipient_id in holders:
            holders[follow_up.recipient_id].follow_ups.append(follow_up)
    return list(holders.values())


def _extend(known: list[str], more: Iterable[str]) -> None:
    known += [words for words in more if words not in known]


def words_of_fields(paths: Iterable[str]) -> list[str]:
    """The names of fields as people read them; a field that no longer exists keeps its technical name."""
    return list(dict.fromkeys(_words_of_field(path) for path in paths))


def _words_of_field(path: str) -> str:
    label, _, name = path.rpartition(".")
    try:
        return str(apps.get_model(label)._meta.get_field(name).verbose_name)
    except (LookupError, ValueError, FieldDoesNotExist):
        return path


@dataclass(frozen=True)
class Approvable:
    """A recipient and purpose for which nothing leaves without the person's yes, and how they decided last."""

    recipient: Recipient
    purpose: Purpose
    agreement: Agreement
    approval: Approval | None

    @property
    def is_given(self) -> bool:
        return self.approval is not None and self.approval.is_given


def approvables_of(subject_id: UUID) -> list[Approvable]:
    """Everything that an agreement of today covers and that needs this person's yes, in three queries."""
    in_force = purposes_in_force()
    last = Approval.objects.filter(subject_id=subject_id).order_by("recipient", "purpose", "-id").distinct("recipient", "purpose")
    decided = {(approval.recipient_id, approval.purpose): approval for approval in last}
    found = {
        (agreement.recipient_id, purpose): Approvable(
            agreement.recipient, purpose, agreement, decided.get((agreement.recipient_id, purpose.value))
        )
        for agreement in holding_today(Agreement.objects.select_related("recipient")).order_by("recipient__name", "ends_on")
        for purpose in map(Purpose, agreement.purposes)
        if purpose in in_force and needs_approval(agreement.recipient, purpose)
    }
    return list(found.values())


def approvable_of(subject_id: UUID, slug: str, purpose: str) -> Approvable | None:
    """One of them; None where nothing is asked."""
    return next((each for each in approvables_of(subject_id) if each.recipient.slug == slug and each.purpose == purpose), None)


def needs_approval(recipient: Recipient, purpose: Purpose) -> bool:
    """False where the published table lets data go to this kind of recipient without asking again."""
    return not {recipient.kind, "holder"} & PURPOSES[purpose].freely_to
