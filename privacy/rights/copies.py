"""Make, hand out and delete the copies that people ask for (RIGHTS-1)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation

from audit.events import Event
from audit.record import Reference, record
from privacy.access.files import open_stored_file
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor
from privacy.rights.archive import Archive
from privacy.rights.errors import CopyGone, CopyNotReady, NotYourData, TooLate
from privacy.rights.held_files import files_held
from privacy.rights.models import ExportJob, Request
from privacy.rights.sections import sections
from privacy.rights.tables import category_tables, section_table
from privacy.vault.files import SCOPE as COPY_SCOPE
from privacy.vault.files import SealedFile, SealingWriter

EXPORTER = Actor.job("export")
KEPT = timedelta(days=7)
ALL_CATEGORIES = [category.value for category in Category]


def exports() -> Storage:
    """Where sealed copies lie: a directory here, object storage elsewhere."""
    return storages["exports"]


def make_copy(*, job: ExportJob) -> None:
    """Build the sealed file and tell the person. Begins anew after a killed attempt, whose file it deletes first.

    Each category is opened in a unit of work of its own, so that progress is seen and the log says it once.
    Does nothing for a request that has ended. Raises TooLate when it ends meanwhile, and AccessDenied when
    the person was erased.
    """
    request = job.request
    if not request.is_open:
        return
    name = _begin(job)
    with translation.override(request.locale), exports().open(name, "wb") as out:
        writer = SealingWriter(out, file_id=job.pk, subject_id=request.subject_id)  # type: ignore[arg-type]
        archive = Archive(writer, request.locale, timezone.now())
        for done, category in enumerate(Category):
            _add_category(archive, job, category)
            job.report(5 + 15 * (done + 1))
        _add_files(archive, job)
        _add_sections(archive, job)
        job.report(95)
        archive.close(request.code)
        writer.close()
        writer.require_current_key()
    _complete(job, writer.size)


def _begin(job: ExportJob) -> str:
    """Enter the new file's name before there is a file, so that no attempt leaves one that nobody knows.

    For the same reason the former file goes before its name does.
    """
    if job.file:
        exports().delete(job.file)
    name = f"{secrets.token_hex(16)}.sealed"
    with unit_of_work():
        request = Request.objects.select_for_update().get(pk=job.request_id)
        if not request.is_open:
            raise TooLate
        if request.state == Request.State.MADE:
            request.state = Request.State.RUNNING
            request.save(update_fields=["state"])
            record(Event.REQUEST_STARTED, by=EXPORTER, subject=request.subject_id, object=request)
        job.file = name
        job.save(update_fields=["file"])
    exports().save(name, ContentFile(b""))
    return name


def _add_category(archive: Archive, job: ExportJob, category: Category) -> None:
    subject_id = job.request.subject_id
    with unit_of_work(), open_access(by=EXPORTER, purpose=Purpose.RIGHTS, subject=subject_id, reason="copy", case=job.request) as grant:
        for table in category_tables(category, subject_id, grant):
            archive.add_table(table)


def _add_files(archive: Archive, job: ExportJob) -> None:
    subject_id = job.request.subject_id
    with unit_of_work(), open_access(by=EXPORTER, purpose=Purpose.RIGHTS, subject=subject_id, reason="copy", case=job.request) as grant:
        for held in files_held(subject_id, grant):
            archive.add_file(held)


def _add_sections(archive: Archive, job: ExportJob) -> None:
    with transaction.atomic():
        for section in sections():
            archive.add_table(section_table(section, job.request.subject_id))


def _complete(job: ExportJob, size: int) -> None:
    with unit_of_work():
        request = Request.objects.select_for_update().get(pk=job.request_id)
        if not request.is_open:
            raise TooLate
        now = timezone.now()
        job.size, job.expires_at = size, now + KEPT
        job.save(update_fields=["size", "expires_at"])
        request.state, request.completed_at, request.outcome = Request.State.COMPLETED, now, "ready"
        request.save(update_fields=["state", "completed_at", "outcome"])
        record(
            Event.DATA_EXPORTED,
            by=EXPORTER,
            subject=request.subject_id,
            object=request,
            purpose=Purpose.RIGHTS.value,
            categories=ALL_CATEGORIES,
        )
        record(Event.REQUEST_COMPLETED, by=EXPORTER, subject=request.subject_id, object=request)
        queue_mail(
            by=EXPORTER,
            template="rights-copy-ready",
            subject=request.subject_id,
            object=Reference.to(request),
            locale=request.locale,
        )


def give_up_copy(*, job: ExportJob) -> None:
    """After the last attempt: no half a file stays, and the person can see that it failed."""
    with unit_of_work():
        request = Request.objects.select_for_update().get(pk=job.request_id)
        if not request.is_open:
            return
        if job.file:
            exports().delete(job.file)
        ExportJob.objects.filter(pk=job.pk).update(file="")
        request.state, request.completed_at, request.outcome = Request.State.FAILED, timezone.now(), "failed"
        request.save(update_fields=["state", "completed_at", "outcome"])
        record(Event.REQUEST_FAILED, by=EXPORTER, subject=request.subject_id, object=request)


@transaction.atomic
def download_copy(*, by: Actor, request: Request) -> tuple[Iterator[bytes], int]:
    """The plain bytes of a finished copy and their number, entered in the log before the first is handed out.

    Raises NotYourData, CopyNotReady, CopyGone; AccessDenied and KeyDestroyed after an erasure.
    """
    if not by.is_subject(request.subject_id):
        raise NotYourData
    job = ExportJob.objects.select_for_update().get(request=request)
    if job.expires_at is None or job.size is None:
        raise CopyNotReady
    if not job.can_be_downloaded:
        raise CopyGone
    with open_access(by=by, purpose=Purpose.RIGHTS, subject=request.subject_id, case=request):
        job.downloaded_at = timezone.now()
        job.save(update_fields=["downloaded_at"])
        record(
            Event.EXPORT_DOWNLOADED,
            by=by,
            subject=request.subject_id,
            object=request,
            purpose=Purpose.RIGHTS.value,
            categories=ALL_CATEGORIES,
        )
    source, about = exports().open(job.file, "rb"), Reference.to(job)
    return open_stored_file(source, about=about, file_id=job.pk, subject_id=request.subject_id), job.size  # type: ignore[arg-type]


def expire_copies(now: datetime | None = None) -> int:
    """Delete the files whose seven days are over; returns how many. Idempotent."""
    over = ExportJob.objects.exclude(file="").filter(expires_at__lte=now or timezone.now())
    return sum(delete_copy(by=EXPORTER, job=job) for job in over.select_related("request")[:1000])


def sealed_copies(subject_id: UUID) -> Iterator[SealedFile]:
    """The finished copies of this person. One in the making begins anew when its key is replaced."""
    jobs = ExportJob.objects.filter(request__subject_id=subject_id).exclude(Q(file="") | Q(expires_at=None))
    for id, name in jobs.values_list("pk", "file"):
        yield SealedFile(exports(), name, id, COPY_SCOPE, partial(_rename_copy, id, name))


def _rename_copy(id: UUID, name: str, new: str) -> bool:
    return bool(ExportJob.objects.filter(pk=id, file=name).update(file=new))


def delete_copy(*, by: Actor, job: ExportJob) -> bool:
    """Delete the file, then forget its name: killed in between, the next attempt finds the name again."""
    if not job.file:
        return False
    exports().delete(job.file)
    with transaction.atomic():
        if not ExportJob.objects.filter(pk=job.pk, file=job.file).update(file=""):
            return False
        record(Event.EXPORT_EXPIRED, by=by, subject=job.request.subject_id, object=job.request)
    return True


def delete_all_copies(*, by: Actor, subject_id: Any) -> int:
    """End what an erased person asked to have copied: open work is canceled, files go."""
    jobs = ExportJob.objects.filter(request__subject_id=subject_id).select_related("request")
    for job in jobs.filter(state__in=ExportJob.OPEN):
        ExportJob.objects.filter(pk=job.pk).update(state=ExportJob.State.CANCELED, finished_at=timezone.now())
    ended = Request.objects.filter(subject_id=subject_id, kind=Request.Kind.EXPORT, state__in=Request.OPEN)
    for request in ended.select_for_update():
        request.state, request.completed_at, request.outcome = Request.State.CANCELED, timezone.now(), "erased"
        request.save(update_fields=["state", "completed_at", "outcome"])
        record(Event.REQUEST_CANCELED, by=by, subject=subject_id, object=request)
    return sum(delete_copy(by=by, job=job) for job in jobs.exclude(file=""))
