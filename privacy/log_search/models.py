"""Searches of the log that members of staff keep for themselves (USE-3)."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations.walls import ALL, Wall
from privacy.vault.identifiers import uuid7

NAME_MAX = 60


class KeptSearch(models.Model):
    """One search of one member of staff, to be repeated. Deleted when they drop it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner_id = models.UUIDField()
    name = models.CharField(_("name"), max_length=NAME_MAX)
    parameters = models.JSONField(default=dict)
    kept_at = models.DateTimeField(default=timezone.now)

    wall = Wall.STAFF.granting(auditor=ALL)
    not_personal = {
        "owner_id": "random id of the member of staff",
        "name": "what they call it; the form asks to name nobody",
        "parameters": "filters: random ids, days, and words from closed lists",
        "kept_at": "when",
    }

    class Meta:
        verbose_name = _("kept search of the log")
        verbose_name_plural = _("kept searches of the log")
        constraints = [models.UniqueConstraint(fields=["owner_id", "name"], name="one_kept_search_per_name")]

    def __str__(self) -> str:
        return f"search {self.pk}"
