"""What the runs did, and what goes when (CHANGE-3, RIGHTS-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.apps import apps
from django.utils import timezone
from django.utils.translation import gettext as _

from privacy.policy.tables import kept_for
from privacy.retention.models import PurgeRun
from privacy.retention.walker import Leaving, leavings

SOON = timedelta(days=31)


def last_run() -> PurgeRun | None:
    """The newest real run that has ended."""
    return PurgeRun.objects.filter(dry_run=False, finished_at__isnull=False).order_by("-finished_at").first()


def lines_of(run: PurgeRun) -> list[tuple[str, int]]:
    """(what, how many) in words, for the table of a run."""
    return [(_words(name), number) for name, number in sorted(run.counts.items())]


def _words(name: str) -> str:
    app, dot, model = name.partition(".")
    return str(apps.get_model(app, model)._meta.verbose_name_plural) if dot else name


@dataclass(frozen=True)
class Going:
    """One line of "what goes when". ``on`` is None while it waits for something; ``is_held``: it is soon, and a hold keeps it."""

    on: date | None
    what: str
    why: str
    law: str
    is_held: bool

    @property
    def month(self) -> date | None:
        return self.on and self.on.replace(day=1)


def goings_of(subject_id: UUID, at_most: int | None = None) -> list[Going]:
    """What goes when, soonest first, from what the purge and an erasure obey: declarations, lifetimes, floors and holds."""
    return [_going(leaving) for leaving in leavings(subject_id, at_most)]


def _going(leaving: Leaving) -> Going:
    options, lifetime = leaving.model._meta, leaving.model.lifetime
    name = options.verbose_name if leaving.records == 1 else options.verbose_name_plural
    floor = lifetime.floor
    return Going(
        on=leaving.on,
        what=_("%(number)d × %(what)s") % {"number": leaving.records, "what": name},
        why=str(floor.explanation) if floor else str(lifetime.until or kept_for(lifetime)),
        law=floor.citation if floor else "",
        is_held=leaving.held > 0 and leaving.on is not None and leaving.on <= timezone.now().date() + SOON,
    )
