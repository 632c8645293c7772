"""A case that one member of staff has: taken, given, handed back; meanwhile it opens to nobody else (PROTECT-3, RIGHTS-7)."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.kinds import staff_with
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject

ASSIGNMENT_FIELDS = {"assigned_to": "random id of the member of staff"}


class NotTheirWork(Exception):
    """Whoever it was to be given to does not do such work, or not any more; nothing was changed."""

    def __str__(self) -> str:
        return str(_("Nothing was changed: this colleague does not do such work, or not any more."))


class Assignable(models.Model):
    """A case that at most one member of staff has at a time."""

    assigned_to = models.ForeignKey(Subject, models.PROTECT, related_name="+", null=True, db_index=False)

    assigned_to_id: UUID | None

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


def colleagues(by: Actor, roles: frozenset[Role]) -> list[tuple[UUID, Role]]:
    """To whom the actor could give a case of these roles, in a stable order."""
    return sorted((id, Role(role)) for id, role in staff_with(roles) if id != by.id)
