"""An erasure, step by step: doors, copies, keys, rows, recipients, search, receipt (RIGHTS-3, RIGHTS-8).

Each step commits on its own with a note that it was done, and can be repeated: a worker killed at any line
leaves something that the next attempt finishes, and nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.queries import entries_about
from audit.record import Reference, record
from privacy.access.gate import unit_of_work
from privacy.declarations.categories import CATEGORY_SCOPES, Category, Scope
from privacy.declarations.purposes import Purpose
from privacy.jobs.errors import TryLater
from privacy.mail.actions import queue_mail
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Actor
from privacy.retention.deletion import delete_rows
from privacy.retention.walker import Model, erasable_models, has_tokens, holdings, kept_models
from privacy.rights.copies import delete_all_copies
from privacy.rights.erasure import blockers_of, room_steps
from privacy.rights.errors import LeftoversFound
from privacy.rights.models import ErasureJob, Receipt, Request
from privacy.sharing.actions import tell_holders
from privacy.sharing.models import FollowUp
from privacy.vault.keys import destroy_keys
from privacy.vault.ledger import copy_ledger
from privacy.vault.models import Subject

ERASER = Actor.job("erasure")
BATCH = 5_000
MAIL_TEMPLATE = "rights-erasure-begun"
MAIL_WAIT = timedelta(hours=1)
MAIL_RETRY_SECONDS = 3
BLOCKED_RETRY_SECONDS = 60
ENDING_SCOPES = (*CATEGORY_SCOPES, Scope.LOG)

Step = Callable[[ErasureJob], object]


def carry_out_erasure(*, job: ErasureJob) -> None:
    """Take every step that is not yet noted as done, in order."""
    for name, act in _steps().items():
        take_step(job=job, name=name, act=act)


def take_step(*, job: ErasureJob, name: str, act: Step) -> None:
    """Do one step and note it in the same unit of work; does nothing when it is noted already."""
    if name in job.steps:
        return
    with unit_of_work():
        act(job)
        job.steps = {**job.steps, name: timezone.now().isoformat()}
        ErasureJob.objects.filter(pk=job.pk).update(steps=job.steps)
    job.report(100 * len(job.steps) // (len(_steps()) + 1))


def _steps() -> dict[str, Step]:
    """The order is the safety. The mail goes while its address can be read. The gate closes before the keys go,
    so that nothing is sealed under a key that is about to end. Keys go before rows: from that moment on
    nothing can be read, whatever happens to the rest, and backups become noise."""
    return {
        "person_told": tell_person,
        "mail_ended": wait_for_mail,
        "gate_closed": close_gate,
        "copies_deleted": delete_copies,
        **{f"room_{name}": _room_step(act) for name, act in room_steps().items()},
        "keys_destroyed": end_keys,
        "ledger_copied": note_outside,
        **{f"rows_{model._meta.label_lower}": _row_step(model) for model in erasable_models()},
        "rows_deleted": note_deleted,
        "recipients_told": tell_recipients,
        "leftovers_searched": search_leftovers,
        "receipt_issued": issue_receipt,
    }


def tell_person(job: ErasureJob) -> None:
    request = job.request
    queue_mail(
        by=ERASER,
        template=MAIL_TEMPLATE,
        subject=request.subject_id,
        object=Reference.to(request),
        locale=request.locale,
    )


def wait_for_mail(job: ErasureJob) -> None:
    """The mailbox is unreadable afterwards, so the mail comes first; but no broken mail server holds up a right."""
    mail = OutboundMail.objects.filter(template=MAIL_TEMPLATE, object_id=job.request.pk).first()
    if mail is not None and mail.is_open and timezone.now() - mail.queued_at < MAIL_WAIT:
        raise TryLater(MAIL_RETRY_SECONDS)


def close_gate(job: ErasureJob) -> None:
    """Looks once more for what is open: an order placed since the beginning would be stuck without its address.

    The person's row is locked first, as ``place_order`` does: an order is seen here, or refused there.
    """
    Subject.objects.select_for_update().get(pk=job.request.subject_id)
    if blockers_of(job.request.subject_id):
        raise TryLater(BLOCKED_RETRY_SECONDS)
    Subject.objects.filter(pk=job.request.subject_id, erased_at=None).update(erased_at=timezone.now())


def delete_copies(job: ErasureJob) -> None:
    delete_all_copies(by=ERASER, subject_id=job.request.subject_id)


def end_keys(job: ErasureJob) -> None:
    """The keys' database commits first; killed before ours does, the repetition finds them gone and notes it."""
    subject_id = job.request.subject_id
    destroy_keys(subject_id, ENDING_SCOPES)
    record(
        Event.KEY_DESTROYED,
        by=ERASER,
        subject=subject_id,
        object=job.request,
        categories=[category.value for category in Category],
    )


def note_outside(job: ErasureJob) -> None:
    """Before anybody is told that the erasure is done, a restore must know of it."""
    copy_ledger()


def note_deleted(job: ErasureJob) -> None:
    """One entry for all rows; their numbers stand in the receipt."""
    record(
        Event.DATA_ERASED,
        by=ERASER,
        subject=job.request.subject_id,
        object=job.request,
        purpose=Purpose.RIGHTS.value,
        categories=[category.value for category in Category],
        fields=sorted(name for name, number in job.counts.items() if number),
    )


def tell_recipients(job: ErasureJob) -> None:
    tell_holders(by=ERASER, subject_id=job.request.subject_id, kind=FollowUp.Kind.ERASURE)


def search_leftovers(job: ErasureJob) -> None:
    """A request that was under way when the gate closed may have written behind us: take it, then look again."""
    subject_id = job.request.subject_id
    for model in erasable_models():
        _delete_of(model, job)
    if holdings(subject_id, erasable_models()) or has_tokens(subject_id, ENDING_SCOPES):
        raise LeftoversFound
    if not has_tokens(subject_id, [Scope.RECORDS]):
        destroy_keys(subject_id, [Scope.RECORDS])
        record(Event.KEY_DESTROYED, by=ERASER, subject=subject_id, object=job.request)


def issue_receipt(job: ErasureJob) -> None:
    request, now = job.request, timezone.now()
    kept = holdings(request.subject_id, kept_models())
    scopes = [*ENDING_SCOPES] if kept else [*ENDING_SCOPES, Scope.RECORDS]
    entries = entries_about(request.subject_id).filter(object_id=request.pk, event__in=[Event.KEY_DESTROYED, Event.DATA_ERASED])
    Receipt.objects.create(
        request=request,
        counts=job.counts,
        scopes=[scope.value for scope in scopes],
        kept=[_kept_line(holding) for holding in kept],
        entries=[str(key) for key in entries.order_by("at").values_list("pk", flat=True)],
        issued_at=now,
        records_ended_at=None if kept else now,
    )
    Request.objects.filter(pk=request.pk).update(
        state=Request.State.COMPLETED, completed_at=now, outcome="erased" if not kept else "erased_but_records"
    )
    record(Event.REQUEST_COMPLETED, by=ERASER, subject=request.subject_id, object=request)


def give_up_erasure(*, job: ErasureJob) -> None:
    """After the last attempt the request stays open and overdue for the privacy officer: nothing is undone."""
    with unit_of_work():
        record(Event.REQUEST_FAILED, by=ERASER, subject=job.request.subject_id, object=job.request)


def end_kept_records() -> int:
    """Destroy the records' keys of erased people whose last kept record is gone; returns how many."""
    waiting = Receipt.objects.filter(records_ended_at=None).order_by("issued_at").values_list("pk", flat=True)
    return sum(map(_end_records_of, list(waiting)))


@transaction.atomic
def _end_records_of(key: UUID) -> bool:
    receipt = Receipt.objects.select_related("request").get(pk=key)
    subject_id = receipt.request.subject_id
    if has_tokens(subject_id, [Scope.RECORDS]):
        return False
    destroy_keys(subject_id, [Scope.RECORDS])
    receipt.records_ended_at = timezone.now()
    receipt.save(update_fields=["records_ended_at"])
    record(Event.KEY_DESTROYED, by=ERASER, subject=subject_id, object=receipt.request)
    return True


def _room_step(act: Callable[[Subject], object]) -> Step:
    return lambda job: act(job.request.subject)


def _row_step(model: Model) -> Step:
    return lambda job: _delete_of(model, job)


def _delete_of(model: Model, job: ErasureJob) -> None:
    """One person's rows of one model, which fit into one transaction, in batches that fit into one statement."""
    rows = model._base_manager.filter(subject_id=job.request.subject_id)
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        deleted = delete_rows(model, keys)
        job.counts = {**job.counts, model._meta.label_lower: job.counts.get(model._meta.label_lower, 0) + deleted}
        record(Event.ERASURE_ADVANCED, by=ERASER, subject=job.request.subject_id, object=job.request, fields=[model._meta.label_lower])
    ErasureJob.objects.filter(pk=job.pk).update(counts=job.counts)


def _kept_line(holding: Any) -> dict[str, Any]:
    lifetime = holding.model.lifetime
    return {
        "model": holding.model._meta.label_lower,
        "records": holding.records,
        "citation": lifetime.floor.citation,
        "until": holding.last_leaving.isoformat() if holding.last_leaving and not holding.waiting else None,
    }
