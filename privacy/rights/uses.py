"""What the log says about one person, in plain words (USE-3, RIGHTS-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.events import Event
from audit.models import Entry
from audit.queries import entries_about
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Role

DEEDS: dict[str, Promise] = {
    Event.DATA_OPENED: gettext_lazy("read it"),
    Event.DATA_COLLECTED: gettext_lazy("wrote it down"),
    Event.DATA_CORRECTED: gettext_lazy("corrected it"),
    Event.DATA_DISCLOSED: gettext_lazy("passed it on"),
    Event.DATA_EXPORTED: gettext_lazy("made a copy for you"),
    Event.EXPORT_DOWNLOADED: gettext_lazy("downloaded a copy"),
    Event.DATA_PURGED: gettext_lazy("deleted it, its time was over"),
    Event.DATA_ERASED: gettext_lazy("deleted it, as you asked"),
    Event.DATA_REFUSED: gettext_lazy("tried to read it and was refused"),
    Event.DISCLOSURE_REFUSED: gettext_lazy("tried to pass it on and was refused"),
}


@dataclass(frozen=True)
class Use:
    """One line of "who used my data"."""

    at: datetime
    who: str
    did: str
    why: str
    categories: str
    is_you: bool


def uses_of(subject_id: UUID, category: Category | None = None) -> QuerySet[Entry]:
    """The log entries about uses of this person's data, newest first; turn each into words with ``in_words``."""
    entries = entries_about(subject_id).filter(event__in=list(DEEDS))
    return entries.filter(categories__contains=[category.value]) if category else entries


def in_words(entry: Entry) -> Use:
    is_you = entry.actor_id is not None and entry.actor_id == entry.subject_id
    return Use(
        at=entry.at,
        who=_("You") if is_you else _role(entry),
        did=str(DEEDS.get(entry.event, entry.event)),
        why=str(Purpose(entry.purpose).label) if entry.purpose in Purpose else "",
        categories=", ".join(str(Category(name).label) for name in entry.categories if name in Category),
        is_you=is_you,
    )


def _role(entry: Entry) -> str:
    if entry.actor_role == Role.JOB:
        return _("Our computer, by itself")
    if entry.actor_role in Role:
        return _("Our staff: %(role)s") % {"role": Role(entry.actor_role).label}
    return _("Somebody")
