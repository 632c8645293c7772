"""A version of the policy while it is written, and the mails that announce one (CHANGE-1)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations.walls import Wall
from privacy.jobs.models import JOB_FIELDS, Job
from privacy.policy.models import PolicyVersion
from privacy.vault.identifiers import uuid7


class PolicyDraft(models.Model):
    """The next version while staff write it; nobody outside sees it. One at a time.

    ``texts`` maps each language to ``{"title", "summary": [text], "sections": [...]}`` as in PolicyText. Kept when
    it was announced or discarded, as the record of who wrote what.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    based_on = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="+", verbose_name=_("made from"))
    purposes = ArrayField(models.CharField(max_length=20))
    texts = models.JSONField()
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    started_by = models.UUIDField()
    changed_at = models.DateTimeField(_("last changed"), default=timezone.now)
    changed_by = models.UUIDField()
    announced_as = models.OneToOneField(PolicyVersion, models.PROTECT, null=True, related_name="draft", verbose_name=_("announced as"))
    discarded_at = models.DateTimeField(_("discarded"), null=True)
    discarded_by = models.UUIDField(null=True)

    wall = Wall.STAFF
    not_personal = {
        "based_on": "the version that it began as a copy of",
        "purposes": "the purposes that it would allow",
        "texts": "text to be published",
        "started_at": "when",
        "started_by": "random id of the member of staff",
        "changed_at": "when",
        "changed_by": "random id of the member of staff",
        "announced_as": "what became of it",
        "discarded_at": "when",
        "discarded_by": "random id of the member of staff",
    }

    class Meta:
        verbose_name = _("draft of the policy")
        verbose_name_plural = _("drafts of the policy")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(announced_as__isnull=True, discarded_at__isnull=True),
                name="one_open_policy_draft",
            ),
            models.CheckConstraint(
                condition=models.Q(discarded_at__isnull=True, discarded_by__isnull=True)
                | models.Q(discarded_at__isnull=False, discarded_by__isnull=False, announced_as__isnull=True),
                name="policy_draft_ends_once",
            ),
        ]

    def __str__(self) -> str:
        return _("Draft of %(day)s") % {"day": self.started_at.date().isoformat()}

    @property
    def is_open(self) -> bool:
        return self.announced_as_id is None and self.discarded_at is None


class PolicyNotice(Job):
    """Mails to everybody concerned that a version was announced or withdrawn; goes on where a killed worker stopped.

    Kept: it is the record of how many people were told, and when.
    """

    class Kind(models.TextChoices):
        ANNOUNCED = "announced", _("announced")
        WITHDRAWN = "withdrawn", _("withdrawn")

    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="notices")
    kind = models.CharField(_("what about"), max_length=10, choices=Kind)
    reached = models.UUIDField(null=True)
    told = models.PositiveIntegerField(_("people told"), default=0)

    wall = Wall.STAFF
    not_personal = {
        **JOB_FIELDS,
        "version": "the version announced or withdrawn",
        "kind": "announced or withdrawn",
        "reached": "random id of the last person told, to go on from",
        "told": "how many mails were queued",
    }

    class Meta:
        verbose_name = _("mail round about the policy")
        verbose_name_plural = _("mail rounds about the policy")
        constraints = [models.UniqueConstraint(fields=["version", "kind"], name="one_notice_per_version_and_kind")]

    def __str__(self) -> str:
        return f"{self.version} {self.kind}"

    def perform(self) -> None:
        from privacy.publication.mails import tell_everybody

        tell_everybody(self)
