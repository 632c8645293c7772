"""What is remembered of a call, so that repeating it does nothing twice."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone

from privacy.declarations.walls import Wall
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject

REMEMBERED_FOR = timedelta(hours=24)


class RememberedCall(models.Model):
    """One call that changed something, under the key that its program gave it. Destroyed after a day.

    Holds no word of the call or its answer: digests, a status, and the address from which the answer is made anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False)
    digest = models.BinaryField(max_length=32)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    location = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField(default=timezone.now, db_index=True)

    wall = Wall.SUBJECT.granting(customer="SELECT, INSERT, DELETE", gate="SELECT, INSERT, DELETE")
    not_personal = {
        "subject": "random id of the person",
        "digest": "keyed digest of the key that the program chose",
        "fingerprint": "keyed digest of the call; useless without the key",
        "status": "the status of the answer",
        "location": "our address of what was made or changed: random numbers and codes",
        "made_at": "when",
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "digest"], name="one_call_per_key")]

    def __str__(self) -> str:
        return f"call {self.pk}"
