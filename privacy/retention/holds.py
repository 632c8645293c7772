"""Somebody's data stays until a day because a law says so, and goes earlier only when two people decide it (RIGHTS-8, PROTECT-3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.events import Event
from audit.record import record
from privacy.access.approvals.errors import PlanImpossible
from privacy.access.approvals.kinds import Parameters, Plan
from privacy.access.approvals.models import Proposal
from privacy.policy.roles import Actor, Role
from privacy.retention.errors import HoldNotPossible, RoleMayNot
from privacy.retention.models import Hold
from privacy.retention.walker import expired, record_models
from privacy.vault.models import Subject

PLACES_HOLDS = frozenset({Role.PRIVACY_OFFICER})


@transaction.atomic
def place_hold(*, by: Actor, subject: Subject, ground: Hold.Ground, until: datetime) -> Hold:
    """Keep everything about a person until a day. Raises RoleMayNot, HoldNotPossible for a past day or somebody erased."""
    if by.role not in PLACES_HOLDS:
        raise RoleMayNot
    person = Subject.objects.select_for_update().get(pk=subject.pk)
    if until <= timezone.now() or person.erased_at is not None:
        raise HoldNotPossible
    hold = Hold.objects.create(subject=person, ground=ground, until=until, placed_by=by.id)  # type: ignore[misc]
    record(Event.HOLD_PLACED, by=by, subject=person, object=hold, outcome=ground)
    return hold


def holds_in_force() -> models.QuerySet[Hold]:
    return Hold.objects.filter(released_at=None, until__gt=timezone.now())


def held_by_law(model: type[models.Model], queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """As purges ask: without the records of people under a hold."""
    if model not in record_models():
        return queryset
    return queryset.exclude(subject_id__in=holds_in_force().values("subject_id"))


def plan_release(parameters: Parameters) -> Plan:
    """What the next purge would delete once this hold is gone. Raises PlanImpossible when it holds no longer."""
    hold = holds_in_force().filter(pk=parameters["hold"]).first()
    if hold is None:
        raise PlanImpossible
    rows, others = _expired_rows(hold), holds_in_force().filter(subject_id=hold.subject_id).exclude(pk=hold.pk).count()
    lines = [
        _("The hold for %(law)s ends now instead of on %(day)s.")
        % {"law": Hold.Ground(hold.ground).label, "day": date_format(hold.until, "DATE_FORMAT")},
        ngettext(
            "%(number)d record whose time is over loses this protection; the next purge deletes it.",
            "%(number)d records whose time is over lose this protection; the next purge deletes them.",
            rows,
        )
        % {"number": rows},
        _("An erasure that the person asked for goes on. What is deleted cannot be brought back."),
    ]
    if others:
        more = ngettext("%(number)d other hold on the same person stays.", "%(number)d other holds on the same person stay.", others)
        lines.append(more % {"number": others})
    return Plan(lines, {"hold": hold.pk, "until": hold.until.isoformat(), "others": others}, people=1, rows=rows)


def release_hold(proposal: Proposal) -> Mapping[str, int]:
    """The performance of an approved release."""
    hold = holds_in_force().select_for_update().get(pk=proposal.parameters["hold"])
    rows = _expired_rows(hold)
    hold.released_at, hold.release = timezone.now(), proposal
    hold.save(update_fields=["released_at", "release"])
    record(Event.HOLD_RELEASED, by=proposal.proposer, subject=hold.subject_id, object=hold, case=proposal, outcome=hold.ground)
    return {"rows": rows}


def _expired_rows(hold: Hold) -> int:
    """Records of the person whose lifetime is over."""
    now = timezone.now()
    return sum(expired(model, now).filter(subject_id=hold.subject_id).count() for model in record_models())
