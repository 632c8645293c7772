"""The published policy, version by version, and who answers for it, as data (CHANGE-1, CHANGE-5)."""

from __future__ import annotations

from datetime import timedelta

from babel import Locale
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from privacy.declarations.walls import Wall
from privacy.vault.identifiers import uuid7

NOTICE_PERIOD = timedelta(days=30)


class PolicyVersion(models.Model):
    """One version of the policy; never changed once announced.

    The first version takes effect with its announcement: there is nobody yet whom it could surprise. Every
    later one waits out the notice period.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.PositiveSmallIntegerField(_("version"), unique=True)
    purposes = ArrayField(models.CharField(max_length=20))
    announced_at = models.DateTimeField(_("announced"))
    effective_at = models.DateTimeField(_("in force from"))

    wall = Wall.PUBLIC
    append_only = True
    not_personal = {
        "number": "version",
        "purposes": "the purposes that this version allows",
        "announced_at": "when it was announced",
        "effective_at": "when it takes effect",
    }

    class Meta:
        ordering = ["-number"]
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number=1) | models.Q(effective_at__gte=models.F("announced_at") + models.Value(NOTICE_PERIOD)),
                name="policy_effective_after_notice",
            ),
            models.CheckConstraint(
                condition=models.Q(effective_at__gte=models.F("announced_at")),
                name="policy_effective_after_announcement",
            ),
        ]

    def __str__(self) -> str:
        return _("Version %(number)s") % {"number": self.number}

    @property
    def is_withdrawn(self) -> bool:
        return getattr(self, "withdrawal", None) is not None

    @property
    def is_to_come(self) -> bool:
        """Announced, not withdrawn, and not in force yet."""
        return not self.is_withdrawn and self.effective_at > timezone.now()


class PolicyWithdrawal(models.Model):
    """An announcement taken back before its version took effect. The version and its words stay to be read."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.OneToOneField(PolicyVersion, models.PROTECT, related_name="withdrawal")
    withdrawn_at = models.DateTimeField(_("withdrawn"), default=timezone.now)
    withdrawn_by = models.UUIDField(null=True)

    wall = Wall.PUBLIC
    append_only = True
    not_personal = {
        "version": "the version that will not take effect",
        "withdrawn_at": "when",
        "withdrawn_by": "random id of the member of staff",
    }

    class Meta:
        verbose_name = _("withdrawn announcement")
        verbose_name_plural = _("withdrawn announcements")

    def __str__(self) -> str:
        return str(self.version)


class PolicyText(models.Model):
    """The words of one version in one language.

    ``sections`` is a list of ``{"id", "heading", "paragraphs": [text], "promises": [id]}``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="texts")
    locale = models.CharField(max_length=10)
    title = models.CharField(max_length=200)
    summary = models.JSONField()
    sections = models.JSONField()
    sha256 = models.CharField(max_length=64)

    wall = Wall.PUBLIC
    append_only = True
    not_personal = {
        "version": "the version it words",
        "locale": "language",
        "title": "published text",
        "summary": "published text",
        "sections": "published text",
        "sha256": "fingerprint of the published text",
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "locale"], name="one_policy_text_per_language")]

    def __str__(self) -> str:
        return self.title


def _line(label: object, length: int = 120) -> models.CharField:
    return models.CharField(label, max_length=length, blank=True)  # type: ignore[arg-type]


class OperatorIdentity(models.Model):
    """Who runs the shop and answers for the data, as published; each change is a new row, so earlier ones stay.

    Names offices and companies, never a private person. Kept for ever: invoices point at the row in force at issue.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.PositiveIntegerField(_("change"), unique=True, default=0)
    changed_at = models.DateTimeField(_("changed"), auto_now_add=True)
    changed_by = models.UUIDField(null=True)
    name = _line(_("name of the company"))
    address = models.TextField(_("postal address"), max_length=500, blank=True)
    country = _line(_("country"), 2)
    email = models.EmailField(_("email address"), blank=True)
    phone = _line(_("telephone number"), 40)
    register = _line(_("entry in the commercial register"), 200)
    tax_id = _line(_("tax number"), 40)
    privacy_office = _line(_("who answers questions about data"))
    privacy_email = models.EmailField(_("email address for questions about data"), blank=True)
    authority = _line(_("data protection authority"))
    authority_address = models.TextField(_("address of the authority"), max_length=500, blank=True)
    authority_url = models.URLField(_("complaint page of the authority"), blank=True)
    security_email = models.EmailField(_("email address for reports about security"), blank=True)
    imprint = models.JSONField(_("more for the imprint"), default=dict, blank=True)
    terms = models.JSONField(_("terms of sale"), default=dict, blank=True)

    wall = Wall.PUBLIC
    append_only = True
    not_personal = {
        "number": "counts the changes",
        "changed_at": "when",
        "changed_by": "random id of the member of staff",
        **dict.fromkeys(
            ("name", "address", "country", "email", "phone", "register", "tax_id"),
            "the company, as the law wants it published",
        ),
        **dict.fromkeys(("privacy_office", "privacy_email", "security_email"), "an office of the company, published"),
        **dict.fromkeys(("authority", "authority_address", "authority_url"), "a public authority"),
        **dict.fromkeys(("imprint", "terms"), "published text"),
    }

    class Meta:
        ordering = ["-number"]
        verbose_name = _("operator of the shop")
        verbose_name_plural = _("operator of the shop")

    def __str__(self) -> str:
        return self.name

    @property
    def lines(self) -> list[str]:
        """Name, address and tax number as they stand on an invoice."""
        return [line for line in (self.name, *self.address.splitlines(), self.country_name, self.tax_id) if line]

    @property
    def country_name(self) -> str:
        """In the reader's language."""
        return Locale.parse(get_language() or "en", sep="-").territories.get(self.country, "")

    @property
    def imprint_text(self) -> str:
        return _in_language(self.imprint)

    @property
    def terms_text(self) -> str:
        return _in_language(self.terms)


def _in_language(texts: dict[str, str]) -> str:
    """In the reader's language, or in the first one there is."""
    language = (get_language() or "").split("-")[0]
    return texts.get(language) or next((text for text in texts.values() if text), "")
