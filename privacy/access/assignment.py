"""A case that one member of staff has: taken, given, handed back; meanwhile it opens to nobody else (PROTECT-3, RIGHTS-7)."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db import models
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.kinds import staff_with
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject

ASSIGNMENT_FIELDS = {"assigned_to": "random id of the member of staff", "assigned_at": "since when they have it"}


class NotTheirWork(Exception):
    """Whoever it was to be given to does not do such work, or not any more; nothing was changed."""

    def __str__(self) -> str:
        return str(_("Nothing was changed: this colleague does not do such work, or not any more."))


class TakenMeanwhile(Exception):
    """A colleague has it, and the page that was shown did not say so; nothing was changed."""

    def __init__(self, colleague: str, since: datetime | None) -> None:
        super().__init__()
        self.colleague, self.since = colleague, since

    def __str__(self) -> str:
        if self.since is None:
            return str(_("Nothing was changed: %(who)s has this now. You can ask them to hand it back.") % {"who": self.colleague})
        words = _("Nothing was changed: %(who)s took this on %(moment)s. You can ask them to hand it back.")
        moment = formats.date_format(timezone.localtime(self.since), "SHORT_DATETIME_FORMAT")
        return str(words % {"who": self.colleague, "moment": moment})


class Assigned(TypedDict):
    """The columns that say who has a case."""

    assigned_to_id: UUID | None
    assigned_at: datetime | None


class Assignable(models.Model):
    """A case that at most one member of staff has at a time; ``assigned_at`` is missing for one taken before it was kept.

    ``seen_holder`` is no column: a page that acts sets it to who had the case when it was shown.
    """

    assigned_to = models.ForeignKey(Subject, models.PROTECT, related_name="+", null=True, db_index=False)
    assigned_at = models.DateTimeField(null=True)

    assigned_to_id: UUID | None
    seen_holder: UUID | None = None

    class Meta:
        abstract = True

    @property
    def is_in_work(self) -> bool:
        """Whether somebody still has to do something about it."""
        raise NotImplementedError


def chosen(by: Actor, agent: UUID | None, roles: frozenset[Role]) -> Actor:
    """Who is to have a case of these roles: the actor where nobody is named. Raises NotTheirWork."""
    if agent in (None, by.id) and by.id is not None and by.role in roles:
        return by
    for id, role in staff_with(roles):
        if id == agent:
            return Actor(Role(role), id=id)
    raise NotTheirWork


def assigned(holder: UUID | None, at: datetime) -> Assigned:
    return {"assigned_to_id": holder, "assigned_at": at if holder else None}


def require_as_seen(case: Assignable, by: Actor, seen: UUID | None, roles: frozenset[Role]) -> None:
    """Raises TakenMeanwhile unless the case is nobody's, the actor's own, or of whom the actor has ``seen`` to have it.

    Ask it of the locked row: of two who take a case at once, the second would take it away from the first.
    """
    holder = case.assigned_to_id
    if holder not in (None, by.id, seen):
        role = next((Role(role) for id, role in staff_with(roles) if id == holder), None)
        raise TakenMeanwhile(colleague_label(holder, role) if role else str(_("somebody else")), case.assigned_at)


def colleague_label(id: UUID, role: Role) -> str:
    """People who work here are told apart by the ends of their random ids."""
    return f"{role.label} …{id.hex[-8:]}"


def colleagues(by: Actor, roles: frozenset[Role]) -> list[tuple[UUID, Role]]:
    """To whom the actor could give a case of these roles, in a stable order."""
    return sorted((id, Role(role)) for id, role in staff_with(roles) if id != by.id)
