"""People freeze their data and object to a use; both hold from the next read on, jobs included (RIGHTS-4, RIGHTS-6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from audit.events import Event
from audit.record import record
from privacy.access.gate import open_access
from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Ground, Purpose
from privacy.policy.queries import purposes_in_force
from privacy.policy.roles import Actor
from privacy.retention.walker import categories_of, record_models
from privacy.rights.actions import end_request, lock_person, make_request
from privacy.rights.errors import AlreadyRequested, NothingChosen, NotYourData, TooLate
from privacy.rights.models import Request, RequestDetail, Restriction
from privacy.vault.models import Subject

# What a freeze leaves open: the person's rights, what the law demands, and the way back in to lift it.
SPARED = frozenset({Purpose.RIGHTS, Purpose.LEGAL, Purpose.SECURITY, Purpose.IDENTITY})


@transaction.atomic
def freeze_data(*, by: Actor, subject: Subject, categories: Iterable[Category]) -> Request:
    """Have these kinds of data only stored, neither used nor deleted, until the person lifts it (GDPR Art. 18).

    Answered at once. Raises NotYourData, NothingChosen, AlreadyRequested while a freeze holds.
    """
    chosen = sorted({category.value for category in categories})
    if not chosen:
        raise NothingChosen
    lock_person(by, subject)
    existing = freeze_of(subject.pk)
    if existing is not None:
        raise AlreadyRequested(existing.request)
    now = timezone.now()
    answered: dict[str, Any] = {"state": Request.State.COMPLETED, "completed_at": now, "outcome": "frozen"}
    request = make_request(by, subject, Request.Kind.RESTRICTION, event=Event.RESTRICTION_BEGUN, categories=chosen, **answered)
    Restriction.objects.create(request=request, subject=subject, categories=chosen, began_at=now)
    return request


@transaction.atomic
def object_to_use(*, by: Actor, subject: Subject, purpose: Purpose, reason: str = "") -> Request:
    """Object to one use (GDPR Art. 21): it stands still from now on, and the privacy officer answers in time.

    ``reason`` is kept sealed. Raises NotYourData, NothingChosen for a purpose that cannot be objected to,
    AlreadyRequested while an objection to it holds.
    """
    if purpose not in objectionable_purposes():
        raise NothingChosen
    lock_person(by, subject)
    existing = restrictions_of(subject.pk).filter(purpose=purpose).first()
    if existing is not None:
        raise AlreadyRequested(existing.request)
    request = make_request(by, subject, Request.Kind.OBJECTION, topic=purpose.value)
    Restriction.objects.create(request=request, subject=subject, purpose=purpose)
    with open_access(by=by, purpose=Purpose.RIGHTS, subject=subject, case=request, writes=Event.DATA_COLLECTED):
        RequestDetail.objects.create(subject=subject, request=request, reason=reason or None)
    return request


@transaction.atomic
def lift_restriction(*, by: Actor, request: Request) -> None:
    """End a freeze, or take an objection back, whenever the person wants. Raises NotYourData, TooLate."""
    if not by.is_subject(request.subject_id):
        raise NotYourData
    locked = Request.objects.select_for_update().get(pk=request.pk)
    if not end_restriction(locked):
        raise TooLate
    if locked.is_open:
        end_request(locked, Request.State.CANCELED, "taken_back")
        RequestDetail.objects.filter(subject_id=locked.subject_id, request=locked).update(answered_at=locked.completed_at)
    record(Event.RESTRICTION_LIFTED, by=by, subject=locked.subject_id, object=locked)


def end_restriction(request: Request) -> bool:
    """Use the data again; False when no restriction of this request holds. For actions that record why."""
    return bool(Restriction.objects.filter(request=request, ended_at=None).update(ended_at=timezone.now()))


def end_open_matters(subject: Subject) -> None:
    """A step of an erasure: nothing is left to freeze, and nothing to decide."""
    eraser = Actor.job("erasure")
    waiting = Request.objects.filter(subject=subject, state=Request.State.MADE, kind__in=[Request.Kind.CORRECTION, Request.Kind.OBJECTION])
    for request in waiting.select_for_update():
        end_request(request, Request.State.CANCELED, "erased")
        record(Event.REQUEST_CANCELED, by=eraser, subject=subject, object=request)
    for restriction in restrictions_of(subject.pk):
        end_restriction(restriction.request)
        record(Event.RESTRICTION_LIFTED, by=eraser, subject=subject, object=restriction.request)


def restrictions_of(subject_id: UUID) -> models.QuerySet[Restriction]:
    """Those that hold now, oldest first."""
    return Restriction.objects.filter(subject_id=subject_id, ended_at=None).select_related("request").order_by("began_at")


def freeze_of(subject_id: UUID) -> Restriction | None:
    return restrictions_of(subject_id).filter(purpose="").first()


def objectionable_purposes() -> list[Purpose]:
    """Those whose ground is neither a law nor the person's own request, in published order."""
    in_force = purposes_in_force()
    return [purpose for purpose, rule in PURPOSES.items() if rule.ground == Ground.CONSENT and purpose in in_force]


def purposes_stopped_by(categories: Iterable[Category]) -> list[Purpose]:
    """The uses that need one of these kinds of data and that a freeze of them therefore stops."""
    frozen = frozenset(categories)
    return [purpose for purpose in objectionable_purposes() if PURPOSES[purpose].categories & frozen]


def withheld(purpose: Purpose, subject_ids: frozenset[UUID]) -> set[tuple[UUID, Category]]:
    """What may not be used for this purpose, as the gate asks it; one query, none for the purposes spared."""
    if purpose in SPARED:
        return set()
    in_force = Restriction.objects.filter(subject_id__in=subject_ids, ended_at=None, purpose__in=["", purpose])
    return {
        (subject_id, category)
        for subject_id, frozen, objected in in_force.values_list("subject_id", "categories", "purpose")
        for category in (Category if objected else map(Category, frozen))
        # A question that somebody sends us while frozen is to be read and answered; nothing else is opened for it.
        if not (purpose == Purpose.SUPPORT and category == Category.INTERACTION)
    }


def frozen_records(model: type[models.Model], queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """A hold: what is frozen is not deleted either, since somebody may need it as proof (GDPR Art. 18(1)(c))."""
    if model not in record_models():
        return queryset
    categories = [category.value for category in categories_of(model)]
    frozen = Restriction.objects.filter(ended_at=None, categories__overlap=categories)
    return queryset.exclude(subject_id__in=frozen.values("subject_id"))
