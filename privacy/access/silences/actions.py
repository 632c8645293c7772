"""Withhold entries as two people decided, and let the person read them earlier (USE-3, PROTECT-3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.events import Event
from audit.models import Entry
from audit.record import record
from privacy.access.approvals.errors import PlanImpossible
from privacy.access.approvals.kinds import Parameters, Plan
from privacy.access.approvals.models import Proposal
from privacy.access.models import Opening
from privacy.access.silences.errors import RoleMayNot, SilenceOver
from privacy.access.silences.models import Silence, SilencedEntry
from privacy.access.silences.queries import withheld_until
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject

LONGEST = timedelta(days=183)
ENTRIES_AT_MOST = 50
RELEASES = frozenset({Role.PRIVACY_OFFICER})
# Looks alone. What was passed on, changed or deleted is on other pages of the person too, and is never withheld.
WITHHOLDABLE = (
    Event.DATA_OPENED,
    Event.DATA_REFUSED,
    Event.ACCOUNT_SEARCHED,
    Event.LOG_SEARCHED,
    Event.LOG_ENTRY_READ,
    Event.DATA_EXTRACTED,
    Event.EXTRACT_DOWNLOADED,
)


def plan_silence(parameters: Parameters) -> Plan:
    """Which entries stay out of whose page. Raises PlanImpossible unless all are looks of others at one person."""
    ids, until = _ids(parameters), datetime.fromisoformat(parameters["until"])
    entries = _looks(ids)
    people = {entry.subject_id for entry in entries}
    if not 0 < len(ids) <= ENTRIES_AT_MOST or len(entries) != len(ids) or len(people) != 1:
        raise PlanImpossible
    if not Subject.objects.filter(pk__in=people, erased_at=None).exists() or not timezone.now() < until <= timezone.now() + LONGEST:
        raise PlanImpossible
    lines = [
        ngettext(
            "%(number)d log entry stays out of the person's page, copy and programs until %(day)s, for this law: %(law)s.",
            "%(number)d log entries stay out of the person's page, copy and programs until %(day)s, for this law: %(law)s.",
            len(ids),
        )
        % {"number": len(ids), "day": date_format(until, "DATE_FORMAT"), "law": Silence.Ground(parameters["ground"]).label},
        _("The person reads how many are withheld and until when. On that day they appear by themselves."),
        _("A mail that tells of a look in an emergency waits as long."),
    ]
    return Plan(lines, {"person": people.pop(), "entries": sorted(ids), "until": parameters["until"]}, people=1, rows=len(ids))


def can_be_withheld(entry: Entry) -> bool:
    """Whether it is a look of somebody else at a person."""
    return entry.event in WITHHOLDABLE and entry.subject_id is not None and entry.actor_role != Role.CUSTOMER


def is_about(actor: Actor, parameters: Parameters) -> bool:
    """Nobody keeps their own look from the person whom they looked at."""
    return actor.id is not None and Entry.objects.filter(pk__in=_ids(parameters), actor_id=actor.id).exists()


def begin_silence(proposal: Proposal) -> Mapping[str, int]:
    """The performance of approved withholding."""
    asked, ids = proposal.parameters, _ids(proposal.parameters)
    until = datetime.fromisoformat(asked["until"])
    subject_id = _looks(ids)[0].subject_id
    silence = Silence.objects.create(subject_id=subject_id, proposal=proposal, ground=asked["ground"], until=until)  # type: ignore[misc]
    SilencedEntry.objects.bulk_create(SilencedEntry(silence=silence, entry_id=id) for id in ids)
    _untold_looks(silence).filter(notice_due_at__lt=until).update(notice_due_at=until)
    record(Event.SILENCE_BEGUN, by=proposal.proposer, subject=subject_id, object=silence, case=proposal, outcome=silence.ground)
    return {"entries": len(ids)}


@transaction.atomic
def release_silence(*, by: Actor, silence: Silence) -> None:
    """Let the person read the entries now, and hear of looks in an emergency. Needs no second person.

    Raises RoleMayNot, SilenceOver.
    """
    if by.role not in RELEASES:
        raise RoleMayNot
    locked = Silence.objects.select_for_update().get(pk=silence.pk)
    if not locked.is_in_force:
        raise SilenceOver
    locked.released_at, locked.released_by = timezone.now(), by.id
    locked.save(update_fields=["released_at", "released_by"])
    # Locked, for another may end at the same moment: the second of them sees that none is left.
    for look in _untold_looks(locked).select_for_update().order_by("pk"):
        Opening.objects.filter(pk=look.pk).update(notice_due_at=withheld_until(look) or timezone.now())
    record(Event.SILENCE_RELEASED, by=by, subject=locked.subject_id, object=locked, outcome=locked.ground)


def _looks(ids: list[UUID]) -> list[Entry]:
    """Those of these entries that can be withheld."""
    return [entry for entry in Entry.objects.filter(pk__in=ids).order_by("pk") if can_be_withheld(entry)]


def _untold_looks(silence: Silence) -> QuerySet[Opening]:
    """Looks behind these entries of which the person is to be told and was not."""
    ids = list(silence.entries.values_list("entry_id", flat=True))
    looks = Opening.objects.filter(subject_id=silence.subject_id, entries__overlap=ids)
    return looks.filter(notice_due_at__isnull=False, noticed_at=None)


def _ids(parameters: Parameters) -> list[UUID]:
    return [UUID(id) for id in parameters["entries"]]
