"""One export by staff: what two people decided, how far it is, and when its file goes (COLLECT-5, PROTECT-3)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.models import Proposal
from privacy.declarations.walls import Wall
from privacy.jobs.models import JOB_FIELDS, Job


class StaffExport(Job):
    """Makes one file, sealed under the key of whoever asked; deleted a day after it is ready. The row is kept as evidence.

    ``file`` is its random name in the storage; empty once it is gone. ``subject_ids`` are the people in it.
    """

    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="export", verbose_name=_("decision"))
    file = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"), null=True)
    subject_ids = ArrayField(models.UUIDField(), default=list)
    left_out = models.PositiveSmallIntegerField(_("people left out"), default=0)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    expires_at = models.DateTimeField(_("can be downloaded until"), null=True)
    downloads = models.PositiveSmallIntegerField(_("times downloaded"), default=0)

    wall = Wall.STAFF.granting(staff="SELECT, UPDATE (downloads)")
    not_personal = {
        **JOB_FIELDS,
        "proposal": "who asked and who approved, by random ids",
        "file": "random name of the sealed file",
        "size": "length of the export",
        "subject_ids": "random ids of the people in it",
        "left_out": "how many people's data the gate did not open",
        "rows": "how many values are in it",
        "expires_at": "when the file goes",
        "downloads": "how often it was downloaded",
    }

    class Meta:
        verbose_name = _("export by staff")
        verbose_name_plural = _("exports by staff")
        indexes = [models.Index("expires_at", condition=~Q(file=""), name="staff_export_with_file")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("admin:privacy_staffexport_change", args=[self.pk])

    @property
    def can_be_downloaded(self) -> bool:
        return bool(self.file) and self.expires_at is not None and timezone.now() < self.expires_at

    def perform(self) -> None:
        from privacy.staff_exports.actions import make_export

        make_export(export=self)

    def on_failure(self) -> None:
        from privacy.staff_exports.actions import give_up_export

        give_up_export(export=self)
