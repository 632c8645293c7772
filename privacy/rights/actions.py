"""Exercise a right: copy, correct, erase, and think again (RIGHTS-1, RIGHTS-2, RIGHTS-3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language

from audit.events import Event
from audit.record import Reference, record
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor
from privacy.rights.clocks import answer_due
from privacy.rights.erasure import blockers_of
from privacy.rights.errors import AlreadyRequested, NotCorrectable, NotYourData, TooLate
from privacy.rights.models import ErasureJob, ExportJob, Request
from privacy.rights.queries import open_request
from privacy.sharing.actions import tell_holders
from privacy.sharing.models import FollowUp
from privacy.vault.fields import sealed_fields
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord


@transaction.atomic
def request_copy(*, by: Actor, subject: Subject) -> Request:
    """Ask for a copy of everything; a job makes it. Raises NotYourData, AlreadyRequested."""
    request = make_request(by, subject, Request.Kind.EXPORT)
    ExportJob(request=request).enqueue()
    return request


@transaction.atomic
def request_erasure(*, by: Actor, subject: Subject) -> Request:
    """Ask for an erasure; it begins after the time to think again, and when nothing blocks it any more.

    The person is told by mail at once, in case somebody else asked. Raises NotYourData, AlreadyRequested.
    """
    effective_at = timezone.now() + settings.ERASURE_COOLING_OFF
    request = make_request(by, subject, Request.Kind.ERASURE, state=Request.State.WAITING, effective_at=effective_at)
    about = Reference.to(request)
    queue_mail(by=by, template="rights-erasure-asked", subject=subject, object=about, locale=request.locale)
    return request


@transaction.atomic
def cancel_erasure(*, by: Actor, request: Request) -> None:
    """Think again, while the erasure has not begun. Raises NotYourData, TooLate."""
    if not by.is_subject(request.subject_id):
        raise NotYourData
    locked = Request.objects.select_for_update().get(pk=request.pk)
    if locked.kind != Request.Kind.ERASURE or locked.state != Request.State.WAITING:
        raise TooLate
    end_request(locked, Request.State.CANCELED, "changed_mind")
    record(Event.REQUEST_CANCELED, by=by, subject=locked.subject_id, object=locked)


def start_due_erasures() -> int:
    """Begin every erasure whose time to think again is over and that nothing blocks; returns how many began."""
    due = Request.objects.filter(kind=Request.Kind.ERASURE, state=Request.State.WAITING, effective_at__lte=timezone.now())
    return sum(begin_erasure(by=Actor.job("erasure"), request=request) for request in due.order_by("effective_at"))


def begin_erasure(*, by: Actor, request: Request) -> bool:
    """Make the job that carries it out, once; False when it is blocked, canceled, or begun already."""
    with unit_of_work():
        locked = Request.objects.select_for_update(skip_locked=True).filter(pk=request.pk).first()
        if locked is None or locked.state != Request.State.WAITING or blockers_of(locked.subject_id):
            return False
        locked.state = Request.State.RUNNING
        locked.save(update_fields=["state"])
        ErasureJob(request=locked).enqueue()
        record(Event.REQUEST_STARTED, by=by, subject=locked.subject_id, object=locked)
    return True


@transaction.atomic
def retry_request(*, by: Actor, request: Request) -> None:
    """Give failed work of an open request to a worker again. Raises TooLate when there is none."""
    locked = Request.objects.select_for_update().get(pk=request.pk)
    job = locked.work
    if job is None or not locked.has_failed_work:
        raise TooLate
    job.state, job.attempts, job.error, job.finished_at = job.State.QUEUED, 0, "", None
    job.due_at = job.queued_at = timezone.now()
    job.enqueue()
    record(Event.REQUEST_STARTED, by=by, subject=locked.subject_id, object=locked, outcome="again")


@transaction.atomic
def correct_record(*, by: Actor, record: PersonalRecord, changes: Mapping[str, str]) -> Request:
    """Write new values over wrong ones in the person's own record, and have recipients of them told.

    Opens nothing. Only fields that the model names in ``correctable`` can be changed. Raises NotYourData,
    NotCorrectable, and ValidationError for a value that the field does not take.
    """
    if not by.is_subject(record.subject_id):
        raise NotYourData
    fields = [field for field in sealed_fields(record) if field.name in changes]
    if len(fields) != len(changes) or not set(changes) <= set(getattr(record, "correctable", ())):
        raise NotCorrectable
    request = make_request(by, record.subject, Request.Kind.CORRECTION, topic=str(record.pk))
    locked = type(record)._base_manager.select_for_update().get(pk=record.pk)
    with open_access(by=by, purpose=Purpose.RIGHTS, subject=record.subject_id, case=request, writes=Event.DATA_CORRECTED):
        for name, text in changes.items():
            setattr(locked, name, text)
        locked.full_clean()
        locked.save(update_fields=[*changes])
    categories = {field.category.value for field in fields}
    tell_holders(by=by, subject_id=record.subject_id, kind=FollowUp.Kind.CORRECTION, categories=categories)
    end_request(request, Request.State.COMPLETED, "corrected")
    _record_completed(by, request)
    record.refresh_from_db(fields=[*changes])
    return request


def lock_person(by: Actor, subject: Subject) -> None:
    """Let the person's own requests made at once wait for one another: the second one then sees the first.

    Raises NotYourData.
    """
    if not by.is_subject(subject.pk):
        raise NotYourData
    Subject.objects.select_for_update().get(pk=subject.pk)


def make_request(
    by: Actor,
    subject: Subject,
    kind: Request.Kind,
    *,
    topic: str = "",
    event: Event = Event.REQUEST_MADE,
    categories: Iterable[str] = (),
    **more: Any,
) -> Request:
    """Enter that the person asks for this, inside the caller's transaction; for the actions of this room.

    Raises NotYourData, AlreadyRequested.
    """
    lock_person(by, subject)
    existing = open_request(subject.pk, kind, topic)
    if existing is not None:
        raise AlreadyRequested(existing)
    now = timezone.now()
    words = {"topic": topic, "locale": get_language() or "en", **more}
    request = Request.objects.create(subject=subject, kind=kind, made_at=now, due_at=answer_due(now), **words)
    record(event, by=by, subject=subject, object=request, categories=categories, outcome=kind.value)
    return request


def _record_completed(by: Actor, request: Request) -> None:
    record(Event.REQUEST_COMPLETED, by=by, subject=request.subject_id, object=request)


def end_request(request: Request, state: Request.State, outcome: str) -> None:
    """Enter how a locked request ended; the caller records it."""
    request.state, request.completed_at, request.outcome = state, timezone.now(), outcome
    request.save(update_fields=["state", "completed_at", "outcome"])
