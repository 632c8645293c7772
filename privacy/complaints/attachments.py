"""Files that people send: cleaned, sealed, handed out under a purpose, and really deleted (RIGHTS-5, PROTECT-1, CHANGE-3)."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from privacy.access.files import open_stored_file
from privacy.access.gate import Grant, open_access
from privacy.access.units import current_unit
from privacy.complaints import cleaning
from privacy.complaints.errors import (
    FileDamaged,
    FileEmpty,
    FileOfUnknownType,
    FileRefused,
    FileTooLarge,
    PictureTooLarge,
    TooManyFiles,
)
from privacy.complaints.models import PublicMessage, Ticket, TicketAttachment, TicketFile
from privacy.declarations.categories import Category, Scope
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.rights.held_files import HeldFile
from privacy.vault.files import SealedFile, SealingWriter

MAX_BYTES = 5 * 1024 * 1024
MAX_FILES = 5
SCOPE = Scope.INTERACTION
PATIENCE = cleaning.SECONDS + 10
ABANDONED_AFTER = timedelta(days=1)
BATCH = 1000
ENDINGS = {"jpeg": "jpg", "png": "png", "webp": "webp", "pdf": "pdf", "text": "txt"}
REFUSALS: dict[str, type[FileRefused]] = {
    cleaning.EMPTY: FileEmpty,
    cleaning.UNKNOWN: FileOfUnknownType,
    cleaning.TOO_MANY_PIXELS: PictureTooLarge,
    cleaning.DAMAGED: FileDamaged,
}


@dataclass(frozen=True)
class CleanFile:
    """A file as we take it: what it is by its content, and bytes that hold nothing hidden."""

    name: str
    kind: TicketAttachment.Kind
    content: bytes


def attachments() -> Storage:
    """Where the sealed files lie: a directory here, object storage elsewhere."""
    return storages["attachments"]


def clean_file(name: str, content: bytes) -> CleanFile:
    """Read the file in a process of its own and rewrite it. Raises FileRefused."""
    if len(content) > MAX_BYTES:
        raise FileTooLarge
    kind, cleaned = _ask_cleaner(content)
    if not kind:
        raise REFUSALS.get(cleaned.decode(errors="replace"), FileDamaged)
    if len(cleaned) > MAX_BYTES:
        raise FileTooLarge
    return CleanFile(name[:200], TicketAttachment.Kind(kind), cleaned)


def _ask_cleaner(content: bytes) -> tuple[str, bytes]:
    """Kind and clean bytes, or nothing and the word that says why not."""
    program = [sys.executable, "-I", str(Path(cleaning.__file__))]
    try:
        answer = subprocess.run(program, input=content, capture_output=True, timeout=PATIENCE, env={}, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise FileDamaged from error
    kind, _, cleaned = answer.stdout.partition(b"\n")
    return kind.decode(), cleaned


def keep_files(message: PublicMessage, files: Iterable[CleanFile]) -> list[TicketAttachment]:
    """Seal the files of a message, inside the caller's open grant. Raises TooManyFiles.

    The bytes are written now and the rows with the transaction: whatever ends that otherwise takes the files back, and
    what a killed process leaves is noise without a row, which ``delete_ownerless_files`` finds.
    """
    files = list(files)
    if len(files) > MAX_FILES:
        raise TooManyFiles
    return [_keep(message, number, file) for number, file in enumerate(files, 1)]


def _keep(message: PublicMessage, position: int, clean: CleanFile) -> TicketAttachment:
    stored = TicketFile.objects.create(name=_new_name())
    attachment = TicketAttachment(
        subject_id=message.subject_id,
        message=message,
        file=stored,
        position=position,
        kind=clean.kind,
        size=len(clean.content),
        name=clean.name,
    )
    attachment.save(force_insert=True)
    current_unit().stack.push(lambda failure, *_: _take_back(stored.name) if failure else None)
    attachments().save(stored.name, ContentFile(b""))
    with attachments().open(stored.name, "wb") as out:
        writer = SealingWriter(out, file_id=stored.pk, subject_id=message.subject_id, scope=SCOPE)  # type: ignore[arg-type]
        writer.write(clean.content)
        writer.close()
    return attachment


def _new_name() -> str:
    """In one of 256 folders, so that none of them gets too long to be read."""
    name = secrets.token_hex(16)
    return f"{name[:2]}/{name}.sealed"


def _take_back(name: str) -> None:
    attachments().delete(name)


def open_attachment(
    *, by: Actor, attachment: TicketAttachment, purpose: Purpose = Purpose.SUPPORT, reason: str = ""
) -> tuple[Iterator[bytes], str]:
    """The plain bytes and a neutral file name, entered in the log before the first byte is handed out.

    Raises AccessDenied, KeyDestroyed after an erasure, Unreadable for a damaged file, FileNotFoundError for a lost one.
    """
    ticket = attachment.message.ticket
    with transaction.atomic():
        with open_access(by=by, purpose=purpose, subject=attachment.subject_id, reason=reason, case=ticket) as grant:
            grant.load([attachment])
        record(
            Event.ATTACHMENT_DOWNLOADED,
            by=by,
            subject=attachment.subject_id,
            object=attachment,
            case=ticket,
            purpose=purpose.value,
            categories=[Category.INTERACTION.value],
        )
        chunks = _plain_bytes(attachment)
    return chunks, neutral_name(ticket, attachment)


def _plain_bytes(attachment: TicketAttachment) -> Iterator[bytes]:
    source = attachments().open(attachment.file.name, "rb")
    about = Reference.to(attachment)
    return open_stored_file(source, about=about, file_id=attachment.file_id, subject_id=attachment.subject_id, scope=SCOPE)  # type: ignore[arg-type]


def files_for_copy(subject_id: UUID, grant: Grant) -> Iterator[HeldFile]:
    """Every file that this person sent, for the copy of their data; one that was lost is left out."""
    sent = TicketAttachment.objects.filter(subject_id=subject_id).select_related("file", "message__ticket").order_by("pk")
    for attachment in sent.iterator(chunk_size=BATCH):
        grant.load([attachment])
        if attachments().exists(attachment.file.name):
            yield HeldFile(neutral_name(attachment.message.ticket, attachment), partial(_plain_bytes, attachment))


def sealed_attachments(subject_id: UUID) -> Iterator[SealedFile]:
    """Every stored file that this person sent."""
    for id, name in TicketFile.objects.filter(attachment__subject_id=subject_id).values_list("pk", "name"):
        yield SealedFile(attachments(), name, id, SCOPE, partial(_rename_file, id, name))


def _rename_file(id: UUID, name: str, new: str) -> bool:
    return bool(TicketFile.objects.filter(pk=id, name=name).update(name=new))


def neutral_name(ticket: Ticket, attachment: TicketAttachment) -> str:
    """What the browser saves it as; the name that the person gave it may say something about them."""
    return f"{ticket.code}-{attachment.pk.hex[-6:]}.{ENDINGS[attachment.kind]}"


def delete_files_of(subject_id: UUID) -> int:
    """Delete every file that this person sent, before the rows go that know them; returns how many."""
    names = TicketFile.objects.filter(attachment__subject_id=subject_id).values_list("name", flat=True)
    deleted = 0
    for name in names.iterator(chunk_size=BATCH):
        attachments().delete(name)
        deleted += 1
    return deleted


def delete_ownerless_files() -> int:
    """Delete the files whose attachment is gone, and those that no row knows; returns how many. Idempotent."""
    return _delete_unattached() + sum(_delete_unknown(folder) for folder in _folders())


def _delete_unattached() -> int:
    """The file goes before its name does: killed in between, the next run finds the name again."""
    rows = list(TicketFile.objects.filter(attachment=None, stored_at__lt=timezone.now() - timedelta(minutes=5))[:BATCH])
    for row in rows:
        attachments().delete(row.name)
    TicketFile.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _folders() -> list[str]:
    try:
        return attachments().listdir("")[0]
    except FileNotFoundError:  # nobody has sent a file yet
        return []


def _delete_unknown(folder: str) -> int:
    """Left by a process that was killed between file and row. Young ones may belong to a request under way."""
    names = {f"{folder}/{name}" for name in attachments().listdir(folder)[1]}
    known = set(TicketFile.objects.filter(name__in=names).values_list("name", flat=True))
    old = [name for name in names - known if attachments().get_modified_time(name) < timezone.now() - ABANDONED_AFTER]
    for name in old:
        attachments().delete(name)
    return len(old)
