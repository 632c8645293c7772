"""What a role may open beyond the matrix, until when, and who decided it (PROTECT-3)."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.models import Proposal
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import Wall
from privacy.policy.roles import Role
from privacy.vault.identifiers import uuid7

AT_MOST_DAYS = 14


class MatrixOverride(models.Model):
    """A role may open more kinds of data for one use, for at most 14 days; then it ends by itself. Kept as evidence."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="override", verbose_name=_("decision"))
    role = models.CharField(_("role"), max_length=20, choices=Role)
    purpose = models.CharField(_("use"), max_length=20, choices=Purpose)
    categories = ArrayField(models.CharField(max_length=20, choices=Category), verbose_name=_("kinds of data"))
    begins_at = models.DateTimeField(_("begins at"), default=timezone.now)
    ends_at = models.DateTimeField(_("ends at"))

    wall = Wall.PUBLIC.granting(staff="SELECT, UPDATE (ends_at)")
    not_personal = {
        "proposal": "who asked and who approved, by random ids",
        "role": "one of our roles",
        "purpose": "what for",
        "categories": "which kinds of data",
        "begins_at": "when",
        "ends_at": "when",
    }

    class Meta:
        verbose_name = _("exception to the matrix")
        verbose_name_plural = _("exceptions to the matrix")
        indexes = [models.Index(fields=["ends_at"], name="override_by_end")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gte=F("begins_at")) & Q(ends_at__lte=F("begins_at") + timedelta(days=AT_MOST_DAYS)),
                name="override_lasts_some_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    @property
    def is_in_force(self) -> bool:
        return self.begins_at <= timezone.now() < self.ends_at

    @property
    def category_labels(self) -> list[str]:
        """In published order, for people."""
        return [str(category.label) for category in Category if category.value in self.categories]
