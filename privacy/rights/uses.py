"""What the log says about one person, in plain words (USE-3, RIGHTS-6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.events import Event
from audit.models import Entry, Leaf
from audit.queries import entries_about
from audit.record import Reference
from privacy.access.gate import Grant
from privacy.access.models import Opening
from privacy.access.oversight.models import Review
from privacy.access.oversight.queries import verdicts_on
from privacy.access.silences.queries import heard
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import STAFF_ROLES, Role
from privacy.rights.cases import Case, cases_in_words

DEEDS: dict[str, Promise] = {
    Event.DATA_OPENED: gettext_lazy("read it"),
    Event.DATA_COLLECTED: gettext_lazy("wrote it down"),
    Event.DATA_CORRECTED: gettext_lazy("corrected it"),
    Event.DATA_DISCLOSED: gettext_lazy("passed it on"),
    Event.DATA_EXPORTED: gettext_lazy("made a copy for you"),
    Event.EXPORT_DOWNLOADED: gettext_lazy("downloaded a copy"),
    Event.DATA_EXTRACTED: gettext_lazy("took it out in an export that two of our staff decided"),
    Event.EXTRACT_DOWNLOADED: gettext_lazy("downloaded that export"),
    Event.DATA_PURGED: gettext_lazy("deleted it, its time was over"),
    Event.DATA_ERASED: gettext_lazy("deleted it, as you asked"),
    Event.DATA_CHANGED_UNATTRIBUTED: gettext_lazy("changed it, or a key to it, around our program, which alerted us"),
    Event.DATA_REFUSED: gettext_lazy("tried to read it and was refused"),
    Event.DISCLOSURE_REFUSED: gettext_lazy("tried to pass it on and was refused"),
    Event.ACCOUNT_SEARCHED: gettext_lazy("looked for your account by your email address"),
    Event.LOG_SEARCHED: gettext_lazy("looked up in our log what was done with it"),
    Event.LOG_ENTRY_READ: gettext_lazy("read an entry of our log about it"),
}
EMERGENCY = gettext_lazy("read it in an emergency, outside their work on your orders, messages and requests")
REFUSALS = (Event.DATA_REFUSED, Event.DISCLOSURE_REFUSED)
BECAUSE: dict[str, Promise] = {
    "role_denied": gettext_lazy("This role may not see it."),
    "category_denied": gettext_lazy("The purpose does not cover it."),
    "reason_missing": gettext_lazy("No reason was given."),
    "purpose_not_in_force": gettext_lazy("Our privacy policy does not allow it."),
    "ground_missing": gettext_lazy("You have not given, or have withdrawn, the permission."),
    "restricted": gettext_lazy("You have frozen it, or objected to this use."),
    "subject_erased": gettext_lazy("Your data was deleted already."),
    "other_subject": gettext_lazy("It was opened for somebody else."),
    "recipient_unknown": gettext_lazy("The recipient is not registered with us."),
    "agreement_missing": gettext_lazy("The recipient has no agreement with us."),
    "not_covered": gettext_lazy("The agreement with the recipient does not cover it."),
    "case_missing": gettext_lazy("No order, message or request of yours was named for it."),
    "case_not_yours": gettext_lazy("It was the work of somebody else."),
    "case_ended": gettext_lazy("The work for which it was needed was over."),
    "break_glass_denied": gettext_lazy("This role may not look without an order, message or request of yours."),
    "soft_limit": gettext_lazy("They had looked at many people within the hour, and were asked first whether they need to."),
    "hard_limit": gettext_lazy("They had looked at too many people within the hour."),
    "reason_too_short": gettext_lazy("The reason given was too short."),
    "not_their_case": gettext_lazy("It was no parcel of this recipient, or its way was over."),
    "approval_missing": gettext_lazy("You have not approved it."),
}

VERDICTS: dict[Review.Outcome, Promise] = {
    Review.Outcome.JUSTIFIED: gettext_lazy("Somebody else here checked this look: it was justified."),
    Review.Outcome.UNJUSTIFIED: gettext_lazy("Somebody else here checked this look: it was not justified. We are following it up."),
    Review.Outcome.UNCLEAR: gettext_lazy("Somebody else here checked this look, and could not tell whether it was justified."),
}


@dataclass(frozen=True)
class Use:
    """One line of "who used my data". ``because`` says why an attempt was refused; it is empty for a use."""

    at: datetime
    who: str
    did: str
    why: str
    categories: str
    is_you: bool
    is_refused: bool = False
    because: str = ""


def uses_of(subject_id: UUID, category: Category | None = None) -> QuerySet[Entry]:
    """The log entries about uses of this person's data, newest first, as the person may read them now.

    What is withheld is in none of their pages, copies, programs and proofs, for all of these ask here. Turn each
    into words with ``in_words``.
    """
    entries = heard(entries_about(subject_id).filter(event__in=list(DEEDS)), subject_id)
    return entries.filter(categories__contains=[category.value]) if category else entries


def uses_by_others(subject_id: UUID) -> QuerySet[Entry]:
    """The same without the person's own."""
    return uses_of(subject_id).exclude(actor_id=subject_id)


def narrowed(
    entries: QuerySet[Entry],
    *,
    subject_id: UUID,
    who: str = "",
    category: Category | None = None,
    purpose: Purpose | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    refused_only: bool = False,
) -> QuerySet[Entry]:
    """``who`` is a role, ``you``, ``staff`` or ``everybody``; empty for everybody but the person."""
    entries = _made_by(entries, who, subject_id)
    if category:
        entries = entries.filter(categories__contains=[category.value])
    if purpose:
        entries = entries.filter(purpose=purpose)
    if since:
        entries = entries.filter(at__gte=since)
    if until:
        entries = entries.filter(at__lte=until)
    return entries.filter(event__in=REFUSALS) if refused_only else entries


def _made_by(entries: QuerySet[Entry], who: str, subject_id: UUID) -> QuerySet[Entry]:
    if who in Role:
        return entries.filter(actor_role=who)
    if who == "staff":
        return entries.filter(actor_role__in=STAFF_ROLES)
    if who == "you":
        return entries.filter(actor_id=subject_id)
    return entries if who else entries.exclude(actor_id=subject_id)


def in_words(entry: Entry) -> Use:
    is_you = entry.actor_id is not None and entry.actor_id == entry.subject_id
    is_refused = entry.event in REFUSALS
    return Use(
        at=entry.at,
        who=_("You") if is_you else _role(entry),
        did=str(EMERGENCY if entry.outcome == "break_glass" else DEEDS.get(entry.event, entry.event)),
        why=str(Purpose(entry.purpose).label) if entry.purpose in Purpose else "",
        categories=", ".join(str(Category(name).label) for name in entry.categories if name in Category),
        is_you=is_you,
        is_refused=is_refused,
        because=str(BECAUSE.get(entry.outcome, "")) if is_refused else "",
    )


def _role(entry: Entry) -> str:
    if entry.actor_role == Role.JOB:
        return _("Our computer, by itself")
    if entry.actor_role in Role:
        return _("Our staff: %(role)s") % {"role": Role(entry.actor_role).label}
    return _("Somebody unknown to our program")


@dataclass(frozen=True)
class UseLine:
    """A use with all that explains it: what it was about, the reason given, its place in the log's tree.

    ``verdict`` is what a reviewer said of it, where somebody reviewed it.
    """

    id: UUID
    use: Use
    case: Case | None
    reason: str
    is_bound: bool
    verdict: Review.Outcome | None = None

    @property
    def verdict_words(self) -> str:
        return str(VERDICTS[self.verdict]) if self.verdict else ""

    @property
    def is_unjustified(self) -> bool:
        return self.verdict == Review.Outcome.UNJUSTIFIED


def lines_of(subject_id: UUID, entries: Iterable[Entry], grant: Grant) -> list[UseLine]:
    """The entries of a page in words, in a constant number of queries.

    Reasons of staff are opened under the person's own grant. ``is_bound``: the entry is in the log's signed tree,
    so that nobody can change or remove it unnoticed any more.
    """
    entries = list(entries)
    cases = cases_in_words(subject_id, [(entry.case_label, entry.case_id) for entry in entries])
    looks = _looks(subject_id, [entry.pk for entry in entries if entry.actor_role in STAFF_ROLES])
    grant.load(looks)
    verdicts = verdicts_on(subject_id, [look.pk for look in looks])
    look_of = {id: look for look in looks for id in look.entries}
    bound = set(Leaf.objects.filter(entry_id__in=[entry.pk for entry in entries]).values_list("entry_id", flat=True))
    return [
        UseLine(
            id=entry.pk,
            use=in_words(entry),
            case=cases.get(Reference(entry.case_label, entry.case_id)) if entry.case_id else None,
            reason=(grant.read(look.reason) or "") if look else "",
            is_bound=entry.pk in bound,
            verdict=verdicts.get(look.pk) if look else None,
        )
        for entry, look in ((entry, look_of.get(entry.pk)) for entry in entries)
    ]


def _looks(subject_id: UUID, ids: Sequence[UUID]) -> list[Opening]:
    """Those of staff that explain one of these entries, with what they wrote."""
    if not ids:
        return []
    return list(Opening.objects.filter(subject_id=subject_id, entries__overlap=ids, reason__isnull=False))
