"""The register of recipients, what they signed, and what they received (USE-4, USE-5, USE-6)."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import Wall
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from privacy.vault.secrets import SecretField


class Recipient(models.Model):
    """An organization outside that may receive data."""

    class Kind(models.TextChoices):
        PAYMENT = "payment", _("payment provider")
        CARRIER = "carrier", _("carrier")
        SELLER = "seller", _("seller")
        AUTHORITY = "authority", _("authority")
        PROCESSOR = "processor", _("service provider")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    country = models.CharField(_("country"), max_length=2)
    webhook_secret = SecretField(_("webhook secret"), null=True, blank=True)

    wall = Wall.PUBLIC.keeping("webhook_secret", to=("staff",))
    not_personal = {
        "slug": "an organization's short name",
        "name": "an organization's name",
        "kind": "what it does for us",
        "country": "where it is",
        "webhook_secret": "a secret of the connection, sealed, of no person",
    }

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")

    def __str__(self) -> str:
        return self.name


class Agreement(models.Model):
    """What a recipient signed: for which purposes and categories, from when until when. Other terms are another agreement."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    recipient = models.ForeignKey(
        Recipient,
        models.PROTECT,
        related_name="agreements",
        verbose_name=_("recipient"),
    )
    reference = models.CharField(_("reference"), max_length=80)
    purposes = ArrayField(models.CharField(max_length=20, choices=Purpose), verbose_name=_("purposes"))
    categories = ArrayField(models.CharField(max_length=20, choices=Category), verbose_name=_("categories"))
    signed_on = models.DateField(_("signed on"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"))

    wall = Wall.PUBLIC
    append_only = True
    not_personal = {
        "recipient": "the organization",
        "reference": "number of the contract",
        "purposes": "what for",
        "categories": "which kinds of data",
        "signed_on": "date",
        "starts_on": "date",
        "ends_on": "date",
    }

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="agreement_ends_last",
            ),
            models.CheckConstraint(
                condition=models.Q(signed_on__lte=models.F("starts_on")),
                name="agreement_signed_first",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def covers(self, purpose: Purpose, categories: Iterable[str]) -> bool:
        return purpose in self.purposes and set(categories) <= set(self.categories)


class Approval(models.Model):
    """A person's decision on one recipient and purpose; the last one counts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False)
    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=20, choices=Purpose)
    is_given = models.BooleanField()
    at = models.DateTimeField(default=timezone.now)

    wall = Wall.SUBJECT
    append_only = True
    not_personal = {
        "subject": "random id of the person",
        "recipient": "the organization",
        "purpose": "what for",
        "is_given": "yes or no",
        "at": "when",
    }

    class Meta:
        indexes = [models.Index(fields=["subject", "recipient", "-id"], name="approval_by_subject")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"


class Disclosure(models.Model):
    """What one recipient received about one person: kinds of data and names of fields, never a value."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False)
    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="+")
    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="+", null=True)
    purpose = models.CharField(max_length=20, choices=Purpose)
    categories = ArrayField(models.CharField(max_length=20))
    fields = ArrayField(models.CharField(max_length=80))
    case_label = models.CharField(max_length=80, blank=True)
    case_id = models.UUIDField(null=True)
    at = models.DateTimeField(default=timezone.now)

    wall = Wall.SUBJECT
    append_only = True
    not_personal = {
        "subject": "random id of the person",
        "recipient": "the organization",
        "agreement": "what it signed",
        "purpose": "what for",
        "categories": "which kinds of data",
        "fields": "names of the fields",
        "case_label": "kind of case",
        "case_id": "random id of the case",
        "at": "when",
    }

    class Meta:
        indexes = [models.Index(fields=["subject", "-at"], name="disclosure_by_subject")]
        verbose_name = _("disclosure")
        verbose_name_plural = _("disclosures")

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"


class FollowUp(models.Model):
    """A recipient must correct or erase what it received, and confirm it (GDPR Art. 19)."""

    class Kind(models.TextChoices):
        CORRECTION = "correction", _("correct it")
        ERASURE = "erasure", _("erase it")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False)
    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="+")
    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    confirmed_by = models.UUIDField(null=True)

    wall = Wall.SUBJECT
    not_personal = {
        "subject": "random id of the person",
        "recipient": "the organization",
        "kind": "correct or erase",
        "asked_at": "when",
        "confirmed_at": "when",
        "confirmed_by": "random id of the member of staff",
    }

    class Meta:
        verbose_name = _("follow-up with a recipient")
        verbose_name_plural = _("follow-ups with recipients")
        indexes = [models.Index(fields=["subject", "recipient"], name="follow_up_by_subject")]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "recipient", "kind"],
                condition=models.Q(confirmed_at__isnull=True),
                name="one_open_follow_up_per_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | models.Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
                name="follow_up_confirmed_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
