"""A proposal and its performance, with two people in every row that was performed (COLLECT-5, PROTECT-3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations.walls import Wall
from privacy.jobs.models import JOB_FIELDS, Job
from privacy.policy.roles import Actor, Role
from privacy.vault.identifiers import uuid7

LASTS = timedelta(hours=72)


def lapses_at() -> datetime:
    return timezone.now() + LASTS


class Proposal(models.Model):
    """An act that one member of staff asked for, and what another decided. Ids and choices only; kept as evidence.

    ``fingerprint`` is of the plan that the second person read; nothing else is ever performed.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("waits for a second person")
        APPROVED = "approved", _("approved, about to be done")
        PERFORMED = "performed", _("done")
        FAILED = "failed", _("approved, but could not be done")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")
        EXPIRED = "expired", _("lapsed")

    OPEN: ClassVar = (State.PROPOSED, State.APPROVED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("what"), max_length=40)
    parameters = models.JSONField(default=dict)
    why = models.CharField(_("why"), max_length=300)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PROPOSED)
    proposed_at = models.DateTimeField(_("asked at"), default=timezone.now)
    proposed_by = models.UUIDField(_("asked by"))
    proposed_role = models.CharField(_("their role"), max_length=20, choices=Role)
    expires_at = models.DateTimeField(_("lapses at"), default=lapses_at)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_by = models.UUIDField(_("decided by"), null=True)
    decided_role = models.CharField(_("role of the second person"), max_length=20, choices=Role, blank=True)
    answer = models.CharField(_("answer"), max_length=300, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    returns = models.PositiveSmallIntegerField(_("times returned"), default=0)
    result = models.JSONField(_("result"), default=dict)
    failure = models.CharField(_("why not"), max_length=80, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    wall = Wall.STAFF.granting(staff="SELECT, INSERT, UPDATE (state, decided_at, decided_by, decided_role, answer, fingerprint, ended_at)")
    not_personal = {
        "kind": "one from a closed list",
        "parameters": "random ids, numbers and choices",
        "why": "why the staff ask; the form refuses addresses and long numbers",
        "state": "how far it is",
        "proposed_at": "when",
        "proposed_by": "random id of the member of staff",
        "proposed_role": "their role",
        "expires_at": "when",
        "decided_at": "when",
        "decided_by": "random id of the second member of staff",
        "decided_role": "their role",
        "answer": "why the second person refused; the form refuses addresses and long numbers",
        "fingerprint": "SHA-256 of the plan that was approved",
        "returns": "how often the plan had changed before it was done",
        "result": "numbers by name",
        "failure": "name of the kind of failure",
        "ended_at": "when",
    }

    class Meta:
        verbose_name = _("act that needs a second person")
        verbose_name_plural = _("acts that need a second person")
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="proposed"), name="proposal_waiting"),
            models.Index(fields=["-proposed_at"], name="proposal_by_time"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")), name="proposal_needs_two_people"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=False) | ~Q(state__in=["approved", "performed", "failed", "refused"]),
                name="proposal_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None, decided_at=None, decided_role="")
                | Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(decided_role=""),
                name="proposal_decision_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(fingerprint="") | ~Q(state__in=["approved", "performed"]), name="proposal_approved_for_one_plan"
            ),
            models.CheckConstraint(condition=Q(state__in=["proposed", "approved"]) ^ Q(ended_at__isnull=False), name="proposal_ends_once"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("admin:privacy_proposal_change", args=[self.pk])

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.PROPOSED and timezone.now() < self.expires_at

    @property
    def proposer(self) -> Actor:
        """In whose name an approved act is done."""
        return Actor(Role(self.proposed_role), id=self.proposed_by)

    @property
    def approver(self) -> Actor | None:
        return Actor(Role(self.decided_role), id=self.decided_by) if self.decided_by else None

    def is_from(self, subject_id: UUID | None) -> bool:
        return self.proposer.is_subject(subject_id)


class ProposalRun(Job):
    """Does what was approved, once. Kept with the proposal."""

    MAX_ATTEMPTS: ClassVar[int] = 5

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="runs")

    wall = Wall.STAFF
    not_personal = {**JOB_FIELDS, "proposal": "what was approved"}

    class Meta:
        verbose_name = _("performance of an approved act")
        verbose_name_plural = _("performances of approved acts")

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    def perform(self) -> None:
        from privacy.access.approvals.actions import perform_proposal

        perform_proposal(proposal=self.proposal)

    def on_failure(self) -> None:
        from privacy.access.approvals.actions import give_up_proposal

        give_up_proposal(proposal=self.proposal)
