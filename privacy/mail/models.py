"""The rows behind every mail: which one, to whom, about what; never its words or the address (PROTECT-1)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.record import Reference
from privacy.declarations.walls import Wall
from privacy.jobs.models import JOB_FIELDS, Job
from privacy.vault.models import Subject


class OutboundMail(Job):
    """A mail on its way to a person. Destroyed 30 days after it was sent or dropped (``forget_old_mail``)."""

    MAX_ATTEMPTS: ClassVar[int] = 12

    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False)
    template = models.CharField(_("mail"), max_length=60)
    object_label = models.CharField(max_length=80, blank=True)
    object_id = models.UUIDField(null=True)
    occasion = models.CharField(max_length=60, blank=True)
    locale = models.CharField(_("language"), max_length=12)
    sent_at = models.DateTimeField(_("sent at"), null=True)

    wall = Wall.SUBJECT.granting(gate="SELECT, INSERT")
    not_personal = {
        **JOB_FIELDS,
        "subject": "random id of the person written to",
        "template": "name of one of our own texts",
        "object_label": "which kind of thing the mail is about",
        "object_id": "random id of that thing",
        "occasion": "tells a wanted second mail from a repeated one",
        "locale": "the language of the mail, shared by millions",
        "sent_at": "when",
    }

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "template", "object_label", "object_id", "occasion"],
                nulls_distinct=False,
                name="one_mail_per_occasion",
            )
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="mail_by_state")]

    def __str__(self) -> str:
        return f"{self.template} {self.pk}"

    @property
    def object(self) -> Reference | None:
        """What the mail is about."""
        return Reference(self.object_label, self.object_id) if self.object_id else None

    def perform(self) -> None:
        from privacy.mail.actions import deliver_mail

        deliver_mail(self)

    def on_failure(self) -> None:
        from privacy.mail.actions import record_failed_mail

        record_failed_mail(self)
