"""Plan, make, hand out and delete exports by staff (COLLECT-5, PROTECT-1, PROTECT-3, USE-3)."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.events import Event
from audit.record import NewEntry, Reference, record, record_many
from privacy.access.approvals.errors import PlanImpossible
from privacy.access.approvals.kinds import Parameters, Plan, has_role_now, kind_named
from privacy.access.approvals.models import Proposal
from privacy.access.errors import AccessDenied, RoleDenied
from privacy.access.files import open_stored_file
from privacy.access.gate import REASON_SCOPE, open_access, unit_of_work
from privacy.access.models import Opening
from privacy.access.overrides.queries import categories_open_now
from privacy.access.units import current_unit
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.retention.walker import items, models_in
from privacy.rights.archive import ArchiveFile, guarded
from privacy.rights.copies import exports
from privacy.staff_exports.errors import ExportGone, ExportNotReady, ExportsOff, NotYourExport, TooMuch
from privacy.staff_exports.kinds import kind_of
from privacy.staff_exports.models import StaffExport
from privacy.staff_exports.people import people_in, people_of
from privacy.vault.files import SCOPE, SealedFile, SealingWriter
from privacy.vault.keys import has_key, make_keys
from privacy.vault.models import Subject

EXPORTER = Actor.job("staff-export")
KEPT = timedelta(hours=24)
MOST_ROWS = 20_000
WATERMARK = ("export", "asked_by", "approved_by", "made_at")
COLUMNS = (*WATERMARK, "person", "category", "record", "record_id", "field", "label", "value")


def plan_export(parameters: Parameters) -> Plan:
    """Whose data, which kinds, for what. Raises PlanImpossible beyond the role's rights and the bounds of an export."""
    people, categories, purpose = people_of(parameters["cases"], parameters["ids"]), _categories(parameters), Purpose(parameters["purpose"])
    open_now = categories_open_now(current_unit(), Role(parameters["role"]), purpose)
    if not settings.STAFF_EXPORTS or not people or len(people) > settings.STAFF_EXPORT_PEOPLE:
        raise PlanImpossible
    if not categories or not set(categories) <= open_now:
        raise PlanImpossible
    models = {model for category in categories for model in models_in(category)}
    rows = sum(model._base_manager.filter(subject_id__in=people).count() for model in models)
    labels = ", ".join(str(category.label) for category in categories)
    lines = [
        _("Opens %(kinds)s for “%(use)s”, and writes it into one file.") % {"kinds": labels, "use": purpose.label},
        ngettext(
            "It holds the data of %(number)d person; they read it on their page.",
            "It holds the data of %(number)d people; each reads it on their page.",
            len(people),
        )
        % {"number": len(people)},
        _("Only whoever asked can download it, with their password, for 24 hours; then it is deleted. Each download is logged."),
    ]
    return Plan(lines, {"people": people, "models": sorted(model._meta.label_lower for model in models)}, people=len(people), rows=rows)


def start_export(proposal: Proposal) -> Mapping[str, int]:
    """The performance of an approved export: a job makes the file."""
    export = StaffExport(proposal=proposal)
    export.enqueue()
    return {"people": len(people_in(export))}


def make_export(*, export: StaffExport) -> None:
    """Write the sealed file as its kind does. Begins anew after a killed attempt, whose file it deletes first.

    Raises what the kind raises: ExportsOff, RoleDenied, TooMuch.
    """
    kind = kind_of(export)
    kind.refuse(export.proposal)
    with exports().open(_begin(export), "wb") as out:
        writer = SealingWriter(out, file_id=export.pk, subject_id=export.proposal.proposed_by)  # type: ignore[arg-type]
        kind.write(export, writer)
        writer.close()
        writer.require_current_key()
    _complete(export, writer.size)


def write_people(export: StaffExport, writer: SealingWriter) -> None:
    """Person by person, each opened and logged in a unit of work of its own.

    Whoever's data the gate does not open (consent withdrawn, frozen, erased) is left out and counted.
    """
    people, table = people_in(export), csv.writer(ArchiveFile(writer))  # type: ignore[arg-type]
    table.writerow(COLUMNS)
    for done, subject_id in enumerate(people, 1):
        _add_person(export, table, subject_id)
        export.report(100 * done // len(people))


def refuse_undone(proposal: Proposal) -> None:
    """The job opens what the role of whoever asked may open, and no more. Raises ExportsOff, RoleDenied."""
    if not settings.STAFF_EXPORTS:
        raise ExportsOff
    asked = proposal.parameters
    with unit_of_work() as unit:
        open_now = categories_open_now(unit, Role(proposal.proposed_role), Purpose(asked["purpose"]))
    if not set(_categories(asked)) <= open_now:
        raise RoleDenied


def _begin(export: StaffExport) -> str:
    """The new file's name is entered before there is a file, and the former file goes before its name does."""
    if export.file:
        exports().delete(export.file)
    export.file, export.subject_ids, export.left_out, export.rows = f"{secrets.token_hex(16)}.sealed", [], 0, 0
    export.save(update_fields=["file", "subject_ids", "left_out", "rows"])
    exports().save(export.file, ContentFile(b""))
    return export.file


def _add_person(export: StaffExport, table: Any, subject_id: UUID) -> None:
    proposal, categories = export.proposal, _categories(export.proposal.parameters)
    purpose = Purpose(proposal.parameters["purpose"])
    try:
        with (
            unit_of_work(),
            open_access(by=EXPORTER, purpose=purpose, subject=subject_id, reason=proposal.why, case=export) as grant,
        ):
            lines = [
                (subject_id, category.value, item.record._meta.label_lower, item.record.pk, item.field.name, item.field.verbose_name, text)
                for category in categories
                for item in items(subject_id, category)
                if (text := grant.read(item.value)) is not None
            ]
            note_extracted(export, subject_id)
    except AccessDenied:
        export.left_out += 1
        return
    export.rows += len(lines)
    if export.rows > MOST_ROWS:
        raise TooMuch
    export.subject_ids.append(subject_id)
    for line in lines:
        table.writerow([*watermark(export), *(guarded(str(part)) for part in line)])


def note_extracted(export: StaffExport, subject_id: UUID) -> None:
    """Record that this person is in the file, with the reason that they read beside it.

    As a job's, because no limit of one member of staff counts what two decided.
    """
    proposal = export.proposal
    entry_id = record(Event.DATA_EXTRACTED, **_about(export, proposal.proposer, subject_id))
    make_keys([(subject_id, REASON_SCOPE)])
    Opening.objects.create(
        subject_id=subject_id,
        actor_id=proposal.proposed_by,
        role=EXPORTER.role,
        purpose=proposal.parameters["purpose"],
        categories=proposal.parameters["categories"],
        entries=[entry_id],
        case_label=export._meta.label_lower,
        case_id=export.pk,
        reason=proposal.why if has_key(subject_id, REASON_SCOPE) else None,
    )


def watermark(export: StaffExport) -> tuple[Any, ...]:
    """The values of WATERMARK: on every row, so that a line copied out of the file still says where it comes from."""
    return export.pk, export.proposal.proposed_by, export.proposal.decided_by, f"{export.started_at or export.queued_at:%Y-%m-%dT%H:%M:%SZ}"


def _complete(export: StaffExport, size: int) -> None:
    export.size, export.expires_at = size, timezone.now() + KEPT
    export.save(update_fields=["size", "expires_at", "subject_ids", "left_out", "rows"])


def give_up_export(*, export: StaffExport) -> None:
    """After the last attempt: no half a file stays."""
    if export.file:
        exports().delete(export.file)
        StaffExport.objects.filter(pk=export.pk).update(file="")


@transaction.atomic
def download_export(*, by: Actor, export: StaffExport) -> tuple[Iterator[bytes], int]:
    """The plain bytes and their number, with an entry for each person in it before the first is handed out.

    Raises ExportsOff, NotYourExport, ExportNotReady, ExportGone.
    """
    if not kind_named(export.proposal.kind).is_offered():
        raise ExportsOff
    locked = StaffExport.objects.select_for_update(of=("self",)).select_related("proposal").get(pk=export.pk)
    if not may_download(by, locked) or not has_role_now(by):
        raise NotYourExport
    if locked.expires_at is None or locked.size is None:
        raise ExportNotReady
    if not locked.can_be_downloaded:
        raise ExportGone
    locked.downloads += 1
    locked.save(update_fields=["downloads"])
    record_many(NewEntry(event=Event.EXTRACT_DOWNLOADED, **_about(locked, by, subject_id)) for subject_id in locked.subject_ids)
    source, about = exports().open(locked.file, "rb"), Reference.to(locked)
    chunks = open_stored_file(source, about=about, file_id=locked.pk, subject_id=locked.proposal.proposed_by)  # type: ignore[arg-type]
    return chunks, locked.size


def may_download(actor: Actor, export: StaffExport) -> bool:
    return export.proposal.is_from(actor.id) and actor.role == export.proposal.proposed_role


def expire_exports(now: datetime | None = None) -> int:
    """Delete the files whose day is over; returns how many. Idempotent."""
    over = StaffExport.objects.exclude(file="").filter(expires_at__lte=now or timezone.now()).order_by("expires_at")
    return sum(_delete_file(export) for export in over[:1000])


def delete_exports_about(subject: Subject) -> int:
    """A step of an erasure: no file keeps what the person's own keys no longer open."""
    return sum(_delete_file(export) for export in StaffExport.objects.filter(subject_ids__contains=[subject.pk]).exclude(file=""))


def sealed_exports(subject_id: UUID) -> Iterator[SealedFile]:
    """The finished files under this member of staff's key. One in the making begins anew when its key is replaced."""
    ready = StaffExport.objects.filter(proposal__proposed_by=subject_id).exclude(Q(file="") | Q(expires_at=None))
    for id, name in ready.values_list("pk", "file"):
        yield SealedFile(exports(), name, id, SCOPE, partial(_rename_file, id, name))


def _rename_file(id: UUID, name: str, new: str) -> bool:
    return bool(StaffExport.objects.filter(pk=id, file=name).update(file=new))


def _delete_file(export: StaffExport) -> bool:
    """The file, then its name: killed in between, the next attempt finds the name again."""
    exports().delete(export.file)
    with transaction.atomic():
        if not StaffExport.objects.filter(pk=export.pk, file=export.file).update(file=""):
            return False
        record(Event.EXTRACT_EXPIRED, by=EXPORTER, object=export)
    return True


def _about(export: StaffExport, by: Actor, subject_id: UUID) -> dict[str, Any]:
    """What the log says of one person in an export."""
    asked = export.proposal.parameters
    categories = [category.value for category in _categories(asked)]
    return {"by": by, "subject": subject_id, "object": export, "case": export, "purpose": asked["purpose"], "categories": categories}


def _categories(parameters: Parameters) -> list[Category]:
    return [category for category in Category if category.value in parameters["categories"]]
