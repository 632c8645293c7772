"""Why staff opened something, in their words (USE-3)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations.categories import Category
from privacy.declarations.lifetimes import Lifetime, months
from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import Wall
from privacy.policy.roles import Role
from privacy.vault.fields import personal
from privacy.vault.records import PersonalRecord


class Opening(PersonalRecord):
    """One look at one person's data by staff. Destroyed 12 months later; the log entry stays."""

    actor_id = models.UUIDField()
    role = models.CharField(max_length=20, choices=Role)
    purpose = models.CharField(max_length=20, choices=Purpose)
    categories = ArrayField(models.CharField(max_length=20))
    case_label = models.CharField(max_length=80, blank=True)
    case_id = models.UUIDField(null=True)
    opened_at = models.DateTimeField(default=timezone.now)
    entries = ArrayField(models.UUIDField(), default=list)
    is_break_glass = models.BooleanField(_("without a case"), default=False)
    notice_due_at = models.DateTimeField(_("the person is told from"), null=True)
    noticed_at = models.DateTimeField(_("the person was told"), null=True)
    reason = personal(models.CharField(_("reason given"), max_length=300, null=True), Category.INTERACTION)

    wall = Wall.SUBJECT.granting(customer="SELECT", auditor="SELECT, INSERT")
    lifetime = Lifetime(
        purposes=[Purpose.SECURITY],
        starts="opened_at",
        lasts=months(12),
        until=_("12 months after our staff looked"),
    )
    not_personal = {
        "actor_id": "random id of the member of staff",
        "role": "their role",
        "purpose": "what for",
        "categories": "which kinds of data",
        "case_label": "kind of case",
        "case_id": "random id of the case",
        "opened_at": "when",
        "entries": "random ids of the log entries that it explains",
        "is_break_glass": "whether it was opened without a case, in an emergency",
        "notice_due_at": "when the person is to be told of that",
        "noticed_at": "when the person was told",
    }

    class Meta:
        verbose_name = _("look by our staff")
        verbose_name_plural = _("looks by our staff")
        indexes = [
            models.Index(fields=["subject", "-opened_at"], name="opening_by_subject"),
            models.Index(
                fields=["subject", "notice_due_at"],
                condition=models.Q(noticed_at=None, notice_due_at__isnull=False),
                name="opening_to_be_told",
            ),
        ]

    def describe(self) -> str:
        return f"{Role(self.role).label}: {Purpose(self.purpose).label}"
