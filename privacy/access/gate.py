"""``open_access()``: no purpose, no data; no entry, no data (USE-1, USE-2, USE-3, COLLECT-3, COLLECT-4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from uuid import UUID

from django.db import models, transaction
from django.utils.translation import gettext

from audit.events import Event
from audit.record import NewEntry, Reference, record_many
from privacy.access import errors
from privacy.access.break_glass import INVESTIGATIONS, LEAST_WORDS, follow_up, notice_due_at
from privacy.access.cases import require_case
from privacy.access.models import Opening
from privacy.access.overrides.queries import categories_open_now
from privacy.access.units import Unit, current_unit, raise_alert_afterwards, unit_of_work
from privacy.alerts.models import AlertKind
from privacy.consent.queries import subjects_consenting
from privacy.declarations.categories import Category, Scope
from privacy.declarations.purposes import PURPOSES, Ground, Purpose
from privacy.policy.matrix import BREAKS_GLASS
from privacy.policy.queries import purposes_in_force
from privacy.policy.roles import Actor, Role
from privacy.vault.errors import KeyDestroyed, Unreadable
from privacy.vault.fields import SealedField, register_write_check, sealed_fields
from privacy.vault.keys import has_key, load_keys, make_keys
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord
from privacy.vault.sealed import Sealed, unseal

__all__ = [
    "Grant",
    "open_access",
    "open_for_unit",
    "register_access_check",
    "register_ground",
    "register_look_check",
    "register_watcher",
    "register_withholding",
    "unit_of_work",
]

AccessCheck = Callable[[Actor, Purpose, frozenset[UUID]], None]
GroundSource = Callable[[frozenset[UUID]], set[UUID]]
Withholding = Callable[[Purpose, frozenset[UUID]], set[tuple[UUID, Category]]]
Watcher = Callable[[Actor, UUID, SealedField, str], None]

REASON_SCOPE = Scope(Category.INTERACTION.value)

_access_checks: list[AccessCheck] = []
_look_checks: list[AccessCheck] = []
_grounds: dict[Purpose, list[GroundSource]] = {}
_withholdings: list[Withholding] = []
_watchers: list[Watcher] = []
_open_grants: ContextVar[tuple[Grant, ...]] = ContextVar("open_grants", default=())


def register_access_check(check: AccessCheck) -> None:
    """A condition that an upper room adds (restriction, hold, case); it raises AccessDenied to refuse."""
    _access_checks.append(check)


def register_look_check(check: AccessCheck) -> None:
    """The same, asked when the first value of these people is about to be handed out, and never for writing."""
    if check not in _look_checks:
        _look_checks.append(check)


def register_ground(purpose: Purpose, source: GroundSource) -> None:
    """For purposes that rest on a request: tells which of these people have asked."""
    _grounds.setdefault(purpose, []).append(source)


def register_withholding(withhold: Withholding) -> None:
    """Tells which kinds of data of these people may be used by nobody else for this purpose, whatever else allows it."""
    if withhold not in _withholdings:
        _withholdings.append(withhold)


def register_watcher(watcher: Watcher) -> None:
    """``watcher(actor, subject_id, field, text)`` sees each value that staff read of somebody, in the moment when they do."""
    if watcher not in _watchers:
        _watchers.append(watcher)


class Grant:
    """A purpose opened by an actor, for one person or (``subject_id`` None) for those it then meets.

    Usable only inside its ``with`` block. Each person and category is checked and entered in the log before
    the first value of it is handed out.
    """

    def __init__(
        self,
        unit: Unit,
        by: Actor,
        purpose: Purpose,
        subject_id: UUID | None,
        reason: str,
        case: Reference | None,
        writes: Event | None,
        break_glass: bool,
        is_silent: bool,
    ) -> None:
        self.by = by
        self.purpose = purpose
        self.subject_id = subject_id
        self.case = case
        self.categories = categories_open_now(unit, by.role, purpose)
        self.is_break_glass = break_glass
        self._is_silent = is_silent
        self._reason = reason
        self._writes = writes
        self._unit = unit
        self._is_watched = by.is_staff
        self._admitted: set[UUID] = set()
        self._recorded: set[tuple[int, Category]] = set()
        self._withheld: set[tuple[UUID, Category]] = set()
        self._unreadable: set[UUID] = set()
        self._collected: dict[tuple[int, Category], set[str]] = {}
        self._closed = False

    def __repr__(self) -> str:
        return f"<Grant {self.purpose} by {self.by.role}>"

    def open(self, value: Sealed | None) -> str:
        """The plain value ("" for an empty field).

        Raises AccessDenied (recorded) when this grant does not cover it, DraftOpened for what was never saved,
        Unreadable for a damaged or moved token, KeyDestroyed after an erasure, VaultUnavailable when the keys cannot
        be reached.
        """
        if self._closed:
            raise errors.GrantClosed(repr(self))
        if value is None:
            return ""
        subject_id = value.subject_id
        if subject_id is None and not value.is_stored:
            raise errors.DraftOpened(value.field.path)
        if subject_id is not None and (subject_id.int, value.field.category) not in self._recorded:
            self._enter([(subject_id, field) for field in sealed_fields(value.field.model) if field.category == value.field.category])
        try:
            text = unseal(value)
        except Unreadable:
            self._report_unreadable(value)
            raise
        if self._is_watched and subject_id is not None:
            for watcher in _watchers:
                watcher(self.by, subject_id, value.field, text)
        return text

    def read(self, value: Sealed | None) -> str | None:
        """As ``open``, for pages: None for a value that is damaged or whose key is gone, so that the rest still shows."""
        try:
            return self.open(value)
        except (Unreadable, KeyDestroyed):
            return None

    def show(self, value: Sealed | None) -> str:
        """As ``read``, with words for people in place of what cannot be read."""
        text = self.read(value)
        return gettext("can no longer be read") if text is None else text

    def load(self, records: Iterable[PersonalRecord]) -> None:
        """Prepare many records at once: one round of checks, one insert of entries, one query for keys."""
        people: dict[type[PersonalRecord], dict[int, UUID]] = {}
        for record in records:
            people.setdefault(type(record), {})[record.subject_id.int] = record.subject_id
        owners = [
            (subject_id, field)
            for model, subject_ids in people.items()
            for field in sealed_fields(model)
            if field.category in self.categories
            for subject_id in subject_ids.values()
        ]
        self._enter(owners)
        load_keys((subject_id, field.scope) for subject_id, field in owners)

    def covers(self, subject_id: UUID, category: Category) -> bool:
        """Whether a value of this person and category may be written under this grant."""
        if self._closed or self._writes is None or category not in self.categories or self.subject_id not in (None, subject_id):
            return False
        if subject_id not in self._admitted:
            self._admit({subject_id})
        if (subject_id, category) in self._withheld:
            self._refuse(errors.Restricted(), subject_id, category)
        return True

    def note_collected(self, subject_id: UUID, field: SealedField) -> None:
        self._collected.setdefault((subject_id.int, field.category), set()).add(field.path)

    def has_collected(self, subject_id: UUID, field: SealedField) -> bool:
        """Whether it covered this field of the person before: what covers does not change while a grant is open."""
        return field.path in self._collected.get((subject_id.int, field.category), ())

    def _report_unreadable(self, value: Sealed) -> None:
        """Damage has a cause that somebody must look for; once for each row, whatever becomes of this unit of work."""
        row_id, subject_id = value.row
        if row_id is not None and row_id not in self._unreadable:
            self._unreadable.add(row_id)
            about = Reference(value.field.model._meta.label_lower, row_id)
            raise_alert_afterwards(kind=AlertKind.VALUE_UNREADABLE, about=about, subject_id=subject_id)

    def _enter(self, owners: Iterable[tuple[UUID, SealedField]]) -> None:
        """Check and record what is opened for the first time under this grant."""
        fresh: dict[tuple[UUID, Category], set[str]] = {}
        for subject_id, field in owners:
            if (subject_id.int, field.category) not in self._recorded:
                fresh.setdefault((subject_id, field.category), set()).add(field.path)
        if not fresh:
            return
        for subject_id, category in fresh:
            if category not in self.categories:
                self._refuse(errors.CategoryDenied(), subject_id, category)
        subject_ids = {subject_id for subject_id, _ in fresh}
        self._admit(subject_ids)
        self._refuse_withheld(fresh)
        self._ask(_look_checks, frozenset(subject_ids - self._looked_at()))
        self._record_opened(sorted(fresh), fresh)
        self._recorded |= {(subject_id.int, category) for subject_id, category in fresh}

    def _looked_at(self) -> set[UUID]:
        return {UUID(int=number) for number, _category in self._recorded}

    def _record_opened(self, pairs: Sequence[tuple[UUID, Category]], fields: Mapping[tuple[UUID, Category], Iterable[str]]) -> None:
        """The unit keeps how to write each entry again: a savepoint that is rolled back later takes the entry
        with it, but not the value that was handed out."""
        ids = record_many(self._entry(Event.DATA_OPENED, *pair, fields[pair]) for pair in pairs)
        self._keep_reason(pairs, ids)
        for id, pair in zip(ids, pairs, strict=True):
            self._unit.openings[id] = partial(self._record_opened, [pair], fields)

    def _entry(
        self,
        event: Event,
        subject_id: UUID,
        category: Category,
        fields: Iterable[str],
    ) -> NewEntry:
        return NewEntry(
            event=event,
            by=self.by,
            subject=subject_id,
            purpose=self.purpose.value,
            categories=[category.value],
            fields=sorted(fields),
            case=self.case,
            outcome="break_glass" if self.is_break_glass else "ok",
        )

    def _record_collected(self) -> None:
        if self._writes is not None:
            collected = sorted(self._collected.items())
            record_many(self._entry(self._writes, UUID(int=number), category, fields) for (number, category), fields in collected)

    def _keep_reason(self, pairs: Iterable[tuple[UUID, Category]], ids: Iterable[UUID]) -> None:
        """For an erased person no reason can be sealed any more; the row and the log entry remain."""
        if not self.by.is_staff:
            return
        opened: dict[UUID, dict[str, UUID]] = {}
        for (subject_id, category), id in zip(pairs, ids, strict=True):
            opened.setdefault(subject_id, {})[category.value] = id
        make_keys((subject_id, REASON_SCOPE) for subject_id in opened)
        openings = Opening.objects.bulk_create(self._opening(*of_person) for of_person in opened.items())
        if self.is_break_glass:
            for opening in openings:
                follow_up(opening)

    def _opening(self, subject_id: UUID, entries: dict[str, UUID]) -> Opening:
        return Opening(
            subject_id=subject_id,
            actor_id=self.by.id,  # type: ignore[misc]
            role=self.by.role,
            purpose=self.purpose,
            categories=sorted(entries),
            entries=list(entries.values()),
            case_label=self.case.label if self.case else "",
            case_id=self.case.id if self.case else None,
            is_break_glass=self.is_break_glass,
            notice_due_at=notice_due_at(is_silent=self._is_silent) if self.is_break_glass else None,
            reason=self._reason if has_key(subject_id, REASON_SCOPE) else None,
        )

    def _admit(self, subject_ids: set[UUID]) -> None:
        """The checks that depend on the person; each person once a grant."""
        new = frozenset(subject_ids - self._admitted)
        if not new:
            return
        first = next(iter(new))
        if self.subject_id is not None and new != {self.subject_id}:
            self._refuse(errors.OtherSubject(), first)
        if self.by.role == Role.CUSTOMER and not all(self.by.is_subject(subject_id) for subject_id in new):
            self._refuse(errors.RoleDenied(), first)
        people = {person.pk: person for person in Subject.objects.filter(pk__in=new)}
        self._refuse_erased(people)
        self._refuse_groundless(new, people)
        self._refuse_caseless(new)
        self._ask(_access_checks, new)
        for withhold in _withholdings:
            self._withheld |= withhold(self.purpose, new)
        self._admitted |= new

    def _ask(self, checks: Iterable[AccessCheck], subject_ids: frozenset[UUID]) -> None:
        for check in checks:
            try:
                check(self.by, self.purpose, subject_ids)
            except errors.AccessDenied as refusal:
                self._refuse(refusal, next(iter(subject_ids), None))

    def _refuse_withheld(self, pairs: Iterable[tuple[UUID, Category]]) -> None:
        """What somebody looks up about themselves is no use by us."""
        for pair in pairs:
            if pair in self._withheld and not self.by.is_subject(pair[0]):
                self._refuse(errors.Restricted(), *pair)

    def _refuse_erased(self, people: dict[UUID, Subject]) -> None:
        if PURPOSES[self.purpose].ground == Ground.LAW:
            return
        for person in people.values():
            if person.erased_at is not None:
                self._refuse(errors.SubjectErased(), person.pk)

    def _refuse_groundless(self, subject_ids: frozenset[UUID], people: dict[UUID, Subject]) -> None:
        """Staff and sellers are here under a contract; for everybody else the purpose's own ground must hold."""
        customers = frozenset(
            subject_id for subject_id in subject_ids if subject_id not in people or people[subject_id].kind == Subject.Kind.CUSTOMER
        )
        missing = customers - self._with_ground(customers)
        if missing:
            self._refuse(errors.GroundMissing(), next(iter(missing)))

    def _refuse_caseless(self, subject_ids: frozenset[UUID]) -> None:
        """Staff open the person of a case that is theirs, as long as it is open; or break the glass."""
        if not self.by.is_staff or self.is_break_glass:
            return
        try:
            require_case(self.by, self.purpose, self.case, subject_ids)
        except errors.AccessDenied as refusal:
            self._refuse(refusal, next(iter(subject_ids)))

    def _with_ground(self, subject_ids: frozenset[UUID]) -> set[UUID]:
        ground = PURPOSES[self.purpose].ground
        if ground == Ground.LAW:
            return set(subject_ids)
        if ground == Ground.CONSENT:
            return subjects_consenting(self.purpose, subject_ids)
        asked = {subject_id for subject_id in subject_ids if self.by.is_subject(subject_id)}
        for source in _grounds.get(self.purpose, []) if asked < subject_ids else []:
            asked |= source(subject_ids)
        return asked

    def _refuse(self, refusal: errors.AccessDenied, subject_id: UUID | None, category: Category | None = None) -> None:
        """Without a ``category`` the attempt was at all that the purpose covers."""
        self._unit.refusals.append(
            NewEntry(
                event=Event.DATA_REFUSED,
                by=self.by,
                subject=subject_id,
                purpose=self.purpose.value,
                categories=sorted([category] if category else PURPOSES[self.purpose].categories),
                case=self.case,
                outcome=refusal.code,
            )
        )
        raise refusal

    def _check_opening(self) -> None:
        """The checks that need no person, and those of the named person."""
        if not self.categories:
            self._refuse(errors.RoleDenied(), self.subject_id)
        if self.by.is_staff and not self._reason.strip():
            self._refuse(errors.ReasonMissing(), self.subject_id)
        if self.purpose not in purposes_in_force():
            self._refuse(errors.PurposeNotInForce(), self.subject_id)
        if self.is_break_glass:
            self._check_break_glass()
        if self.subject_id is not None:
            self._admit({self.subject_id})
        elif self.by.role == Role.CUSTOMER:
            self._refuse(errors.RoleDenied(), None)

    def _check_break_glass(self) -> None:
        if self.by.role not in BREAKS_GLASS or self.subject_id is None or self._writes is not None:
            self._refuse(errors.BreakGlassDenied(), self.subject_id)
        if self._is_silent and self.purpose not in INVESTIGATIONS:
            self._refuse(errors.BreakGlassDenied(), self.subject_id)
        if len(self._reason.strip()) < LEAST_WORDS:
            self._refuse(errors.ReasonTooShort(), self.subject_id)

    def _close(self) -> None:
        self._closed = True


@contextmanager
def open_access(
    *,
    by: Actor,
    purpose: Purpose,
    subject: Subject | UUID | None = None,
    reason: str = "",
    case: Reference | models.Model | None = None,
    writes: Event | None = None,
    break_glass: bool = False,
    is_silent: bool = False,
) -> Iterator[Grant]:
    """Open a purpose, for reading by ``grant.open(value)`` and, where ``writes`` says as what, for writing
    personal fields of these categories.

    Checks the role matrix, the policy in force, the ground of the purpose for the person, and what upper rooms
    registered; records reads before they are handed out and writes (as ``writes``) when the block ends.
    Staff give a ``reason``; it is kept sealed and shown to the person. They name a ``case`` that is theirs and open;
    ``break_glass`` does without one, for few roles, to read about one person, which is reviewed and which the person
    is told of (after 30 days at the latest where ``is_silent``, for an investigation). Raises AccessDenied, whose
    record survives the rollback. Needs a surrounding ``unit_of_work()``.
    """
    subject_id = subject.pk if isinstance(subject, Subject) else subject
    case = Reference.to(case) if isinstance(case, models.Model) else case
    grant = Grant(current_unit(), by, purpose, subject_id, reason, case, writes, break_glass, is_silent)
    grant._check_opening()
    token = _open_grants.set((*_open_grants.get(), grant))
    try:
        with transaction.atomic():
            yield grant
            grant._record_collected()
    finally:
        grant._close()
        _open_grants.reset(token)


def open_for_unit(**how: object) -> Grant:
    """A grant that stays open until the unit of work ends, for pages that are rendered late."""
    return current_unit().stack.enter_context(open_access(**how))  # type: ignore[arg-type]


def _check_write(instance: models.Model, field: SealedField) -> None:
    """No open grant that covers it, no write. The gate's own note of a reason is part of the opening it notes."""
    if isinstance(instance, Opening):
        return
    subject_id: UUID = instance.subject_id  # type: ignore[attr-defined]
    for grant in reversed(_open_grants.get()):
        if grant.has_collected(subject_id, field):
            return
        if grant.covers(subject_id, field.category):
            grant.note_collected(subject_id, field)
            return
    raise errors.NoPurpose(f"no open purpose covers writing {field.path}")


register_write_check(_check_write)
