"""Limits that were reached, and looks that somebody else judged; by ids alone (PROTECT-3, USE-3)."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from privacy.declarations.lifetimes import Lifetime, days
from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import Wall
from privacy.policy.roles import Role
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord


class OpeningConfirmation(models.Model):
    """A member of staff was asked whether they need to open this many people, and said yes. Kept as evidence."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    actor_id = models.UUIDField()
    role = models.CharField(max_length=20, choices=Role)
    confirmed_at = models.DateTimeField(default=timezone.now)

    wall = Wall.STAFF.granting(auditor="SELECT, INSERT")
    append_only = True
    not_personal = {
        "actor_id": "random id of the member of staff",
        "role": "their role",
        "confirmed_at": "when",
    }

    class Meta:
        verbose_name = _("confirmed need to open many")
        verbose_name_plural = _("confirmed needs to open many")
        indexes = [models.Index(fields=["actor_id", "-confirmed_at"], name="confirmation_by_actor")]

    def __str__(self) -> str:
        return f"confirmation {self.pk}"


class OpeningClosure(models.Model):
    """A member of staff opened as many people within an hour as their role may, and opens nobody until it is lifted.

    Kept as evidence.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    actor_id = models.UUIDField(_("member of staff"))
    role = models.CharField(_("role"), max_length=20, choices=Role)
    people = models.PositiveIntegerField(_("people opened or asked for within the hour"))
    closed_at = models.DateTimeField(_("closed"), default=timezone.now)
    lifted_at = models.DateTimeField(_("lifted"), null=True)
    lifted_by = models.UUIDField(_("lifted by"), null=True)

    wall = Wall.STAFF.granting(auditor="SELECT, INSERT")
    not_personal = {
        "actor_id": "random id of the member of staff",
        "role": "their role",
        "people": "how many",
        "closed_at": "when",
        "lifted_at": "when",
        "lifted_by": "random id of the privacy officer",
    }

    class Meta:
        verbose_name = _("closure of openings")
        verbose_name_plural = _("closures of openings")
        indexes = [models.Index(fields=["actor_id", "-lifted_at"], name="closure_by_actor")]
        constraints = [
            models.UniqueConstraint(fields=["actor_id"], condition=Q(lifted_at=None), name="one_open_closure_per_actor"),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="closure_lift_is_a_pair",
            ),
            models.CheckConstraint(condition=Q(lifted_by=None) | ~Q(lifted_by=F("actor_id")), name="nobody_lifts_their_own_closure"),
        ]

    def __str__(self) -> str:
        return f"closure {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.lifted_at is None


class OpeningWatch(models.Model):
    """Up to which moment looks have been compared with what is usual, so that none is judged twice."""

    class Part(models.TextChoices):
        USES = "uses", _("numbers, hours and cases")
        NAMES = "names", _("names")

    part = models.CharField(primary_key=True, max_length=8, choices=Part)
    watched_until = models.DateTimeField()

    wall = Wall.STAFF
    not_personal = {"part": "which rules", "watched_until": "when"}

    class Meta:
        verbose_name = _("watch over openings")
        verbose_name_plural = _("watch over openings")

    def __str__(self) -> str:
        return self.part


class ReadTrait(PersonalRecord):
    """That a member of staff read a family name or street, as two bytes that are keyed and theirs alone; never the text.

    Destroyed 30 days later, and with the person.
    """

    class Kind(models.TextChoices):
        NAME = "name", _("family name")
        STREET = "street", _("street")

    actor_id = models.UUIDField()
    role = models.CharField(max_length=20, choices=Role)
    kind = models.CharField(max_length=8, choices=Kind)
    mark = models.BinaryField(max_length=2)
    read_at = models.DateTimeField(default=timezone.now)

    wall = Wall.SUBJECT.granting(customer="SELECT", auditor="SELECT, INSERT")
    lifetime = Lifetime(
        purposes=[Purpose.SECURITY],
        starts="read_at",
        lasts=days(30),
        until=_("30 days after our staff looked"),
    )
    not_personal = {
        "actor_id": "random id of the member of staff",
        "role": "their role",
        "kind": "family name or street",
        "mark": "two bytes of a keyed digest, another one for each member of staff; many names share each",
        "read_at": "when",
    }

    class Meta:
        verbose_name = _("mark by which we notice that our staff look at many people alike")
        verbose_name_plural = _("marks by which we notice that our staff look at many people alike")
        indexes = [models.Index(fields=["subject", "-read_at"], name="read_trait_by_subject")]

    def describe(self) -> str:
        return gettext("looks at your data by our staff")


class Review(models.Model):
    """One look at a person's data that somebody else judges: drawn by lot, or because it was an emergency.

    Kept as evidence when the look itself and its reason are destroyed; names nobody.
    """

    class Cause(models.TextChoices):
        SAMPLE = "sample", _("drawn by lot")
        BREAK_GLASS = "break_glass", _("opened in an emergency")
        COMPLAINT = "complaint", _("the person complains about it")

    class Outcome(models.TextChoices):
        JUSTIFIED = "justified", _("Justified")
        UNJUSTIFIED = "unjustified", _("Not justified")
        UNCLEAR = "unclear", _("It cannot be told")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False)
    opening_id = models.UUIDField(_("look"), unique=True)
    actor_id = models.UUIDField(_("member of staff"))
    role = models.CharField(_("role"), max_length=20, choices=Role)
    cause = models.CharField(_("why it is reviewed"), max_length=12, choices=Cause)
    drawn_at = models.DateTimeField(_("drawn"), default=timezone.now)
    due_at = models.DateTimeField(_("to be reviewed by"))
    reviewed_at = models.DateTimeField(_("reviewed"), null=True)
    reviewed_by = models.UUIDField(_("reviewed by"), null=True)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)

    subject_id: UUID

    wall = Wall.SUBJECT.granting(customer="SELECT (id, subject_id, opening_id, reviewed_at, outcome)")
    not_personal = {
        "subject": "random id of the person",
        "opening_id": "random id of the look",
        "actor_id": "random id of the member of staff",
        "role": "their role",
        "cause": "one from a closed list",
        "drawn_at": "when",
        "due_at": "when",
        "reviewed_at": "when",
        "reviewed_by": "random id of the reviewer",
        "outcome": "one word from a closed list",
        "note": "what the reviewer found; the form asks to name nobody",
    }

    class Meta:
        verbose_name = _("review of a look")
        verbose_name_plural = _("reviews of looks")
        indexes = [
            models.Index(fields=["subject", "opening_id"], name="review_by_subject"),
            models.Index(fields=["reviewed_at", "due_at"], name="review_by_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(reviewed_at=None, reviewed_by=None, outcome="")
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False) & ~Q(outcome=""),
                name="review_end_has_outcome",
            ),
            models.CheckConstraint(condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("actor_id")), name="nobody_reviews_their_own_look"),
        ]

    def __str__(self) -> str:
        return f"review {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.reviewed_at is None

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.due_at < timezone.now()
