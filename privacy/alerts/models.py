"""The rows behind every alert: what was noticed, about which ids, and what came of it; nothing personal (PROTECT-2)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.identifiers import uuid7
from audit.record import Reference
from privacy.declarations.walls import Wall
from privacy.jobs.models import JOB_FIELDS, Job
from privacy.policy.roles import Role

RAISES = "SELECT, INSERT, UPDATE (count, repeated_at)"  # whoever reads is noticed, and ends no alert


class AlertKind(models.TextChoices):
    """What the program can notice; ``privacy.alerts.kinds`` says what to do about each."""

    VOLUME = "volume", _("Unusually many people opened")
    HOURS = "hours", _("Opened at unusual hours")
    SHARED_TRAIT = "shared_trait", _("Opened several people with the same name or street")
    OWN_RECORD = "own_record", _("Opened a customer with their own name")
    COLLEAGUE = "colleague", _("Opened a colleague's data")
    ENDED_CASE = "ended_case", _("Tried to open data for a case that was over")
    OPENINGS_CLOSED = "openings_closed", _("A member of staff reached the limit of openings")
    OPENING_UNJUSTIFIED = "opening_unjustified", _("A reviewer found an opening unjustified")
    BREAK_GLASS = "break_glass", _("Opened in an emergency, outside any case")
    KEY_OVERDUE = "key_overdue", _("A key is older than it should be")
    KEY_LOG_KEPT = "key_log_kept", _("The keys' server keeps deleted keys in its log")
    KEY_RING_FAILED = "key_ring_failed", _("The key ring does not answer")
    VALUE_UNREADABLE = "value_unreadable", _("A stored value cannot be read")
    WALL_BREACHED = "wall_breached", _("The wall in the database has a hole")
    LOG_UNPUBLISHED = "log_unpublished", _("Checkpoints of the log do not get outside")
    LOG_CONTRADICTED = "log_contradicted", _("Outside, the log reads otherwise")
    UNATTRIBUTED_CHANGE = "unattributed_change", _("Personal data was changed around the program")
    LOG_MONTHS_LATE = "log_months_late", _("The log has no months to come")
    LOG_FAILED = "log_failed", _("The log does not hold")
    LOG_UNVERIFIED = "log_unverified", _("The log has not been verified in time")
    LOG_WAITING = "log_waiting", _("Entries wait too long to be bound into the log")


class Alert(models.Model):
    """One thing noticed, by ids alone; kept as evidence of what came of it. The same thing again counts it up.

    ``actor_id`` is who did it and ``subject_id`` whose data it is about, where somebody is concerned.
    """

    class Outcome(models.TextChoices):
        JUSTIFIED = "justified", _("It was justified")
        MISUSE = "misuse", _("It was misuse")
        MISTAKE = "mistake", _("It was a mistake")
        SYSTEM_FAULT = "system_fault", _("It was a fault of the system")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=24, choices=AlertKind)
    about_label = models.CharField(max_length=80, blank=True)
    about_id = models.UUIDField(null=True)
    subject_id = models.UUIDField(_("person concerned"), null=True)
    actor_id = models.UUIDField(_("who did it"), null=True)
    role = models.CharField(_("their role"), max_length=20, choices=Role, blank=True)
    count = models.PositiveIntegerField(_("times"), default=1)
    raised_at = models.DateTimeField(_("raised"), default=timezone.now)
    repeated_at = models.DateTimeField(_("last seen"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed"), null=True)
    closed_by = models.UUIDField(_("closed by"), null=True)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)

    wall = Wall.SUBJECT.granting(customer=RAISES, gate=RAISES, auditor=RAISES)
    not_personal = {
        "kind": "one from a closed list",
        "about_label": "which kind of thing it is about",
        "about_id": "random id of that thing",
        "subject_id": "random id of the person",
        "actor_id": "random id of the member of staff",
        "role": "their role",
        "count": "how often it was noticed",
        "raised_at": "when",
        "repeated_at": "when",
        "closed_at": "when",
        "closed_by": "random id of the member of staff",
        "outcome": "one word from a closed list",
        "note": "what the office found; the form asks to name nobody",
    }

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        indexes = [models.Index(fields=["closed_at", "raised_at"], name="alert_by_age")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "about_label", "about_id", "subject_id", "actor_id"],
                condition=Q(closed_at=None),
                nulls_distinct=False,
                name="one_open_alert_per_fact",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None, outcome="")
                | Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(outcome=""),
                name="alert_end_has_outcome",
            ),
            models.CheckConstraint(
                condition=Q(closed_by=None) | (Q(actor_id=None) | ~Q(closed_by=F("actor_id"))),
                name="nobody_closes_their_own_alert",
            ),
            models.CheckConstraint(condition=Q(about_label="") ^ Q(about_id__isnull=False), name="alert_about_is_a_pair"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def about(self) -> Reference | None:
        """What it is about, where that is one thing."""
        return Reference(self.about_label, self.about_id) if self.about_id else None


class AlertNotice(Job):
    """Tells the office of one alert by mail, once. Kept with the alert."""

    MAX_ATTEMPTS: ClassVar[int] = 12

    alert = models.OneToOneField(Alert, models.CASCADE, related_name="notice")

    wall = Wall.through("alert").granting(gate="SELECT, INSERT", auditor="SELECT, INSERT")
    not_personal = {**JOB_FIELDS, "alert": "the alert it tells of"}

    class Meta:
        verbose_name = _("notice of an alert")
        verbose_name_plural = _("notices of alerts")
        indexes = [models.Index(fields=["state", "due_at"], name="alert_notice_by_state")]

    def __str__(self) -> str:
        return f"notice {self.pk}"

    def perform(self) -> None:
        from privacy.alerts.office import tell_office

        if self.alert.is_open:
            tell_office(self.alert)
