"""The proof that an entry stands in the log, for the person whom it is about (USE-3, RIGHTS-6)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse

from audit.events import Event
from audit.models import Entry, Leaf
from audit.proofs import bundle
from audit.record import record
from privacy.policy.roles import Actor
from privacy.rights.errors import NotYourData
from privacy.rights.uses import uses_of

PROOFS_AT_MOST = 1_000


def take_proof(*, by: Actor, subject_id: UUID, entry_id: UUID) -> bytes | None:
    """As ``take_proofs``, of one use; None for what is not theirs, withheld, or not in the log's tree yet."""
    entries = uses_of(subject_id).filter(pk=entry_id)
    is_there = Leaf.objects.filter(entry_id=entry_id).exists() and entries.exists()
    return take_proofs(by=by, subject_id=subject_id, entries=entries) if is_there else None


@transaction.atomic
def take_proofs(*, by: Actor, subject_id: UUID, entries: QuerySet[Entry]) -> bytes:
    """A zip with the newest PROOFS_AT_MOST of these uses, their proofs, and all that it takes to check them.

    The person's log key goes with them, which is recorded. Raises NotYourData.
    """
    if not by.is_subject(subject_id):
        raise NotYourData
    record(Event.PROOF_DOWNLOADED, by=by, subject=subject_id)
    return bundle(entries[:PROOFS_AT_MOST])


def zip_file(data: bytes, name: str) -> HttpResponse:
    """As an answer that a browser keeps under this name."""
    return HttpResponse(data, content_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'})
