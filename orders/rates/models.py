"""Tax and shipping rates, each from a day on. No row here says anything about a person.

A rate that is in force is never changed: a later row takes its place on its day, and orders keep the rate that
they were placed with.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.catalogue.models import TaxClass
from orders.checkout.addresses import COUNTRY_NAMES
from privacy.declarations.walls import Wall
from privacy.vault.identifiers import uuid7

COUNTRIES = sorted(COUNTRY_NAMES.items())


class Rate(models.Model):
    """Something that holds for deliveries to a country from ``valid_from`` (a day in the shop's time zone) on."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    country = models.CharField(_("country"), max_length=2, choices=COUNTRIES)
    valid_from = models.DateField(_("holds from"), help_text=_("At the beginning of this day."))

    class Meta:
        abstract = True
        ordering = ["country", "-valid_from"]

    def __str__(self) -> str:
        return f"{self.country} {self.valid_from:%Y-%m-%d}"

    @property
    def has_begun(self) -> bool:
        return self.valid_from <= timezone.localdate()


class TaxRate(Rate):
    """The VAT on one class of goods. Kept for ever."""

    tax_class = models.CharField(_("tax class"), max_length=10, choices=TaxClass)
    basis_points = models.PositiveSmallIntegerField(_("rate in hundredths of a percent"), validators=[MaxValueValidator(10_000)])

    wall = Wall.PUBLIC
    not_personal = {
        "country": "country of delivery",
        "valid_from": "day from which the rate holds",
        "tax_class": "kind of goods",
        "basis_points": "the rate",
    }

    class Meta(Rate.Meta):
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        constraints = [
            models.UniqueConstraint(
                fields=["country", "tax_class", "valid_from"],
                name="one_tax_rate_a_day",
                violation_error_message=_("There is a rate for this day already. Take it back first, or choose another day."),
            ),
            models.CheckConstraint(condition=Q(basis_points__lte=10_000), name="tax_rate_at_most_100_percent"),
        ]


class ShippingRate(Rate):
    """What one delivery costs; without a price we do not deliver there from that day on. Kept for ever."""

    price = models.PositiveIntegerField(_("price in cents, tax included"), null=True, blank=True)
    free_from = models.PositiveIntegerField(_("free from a sum of goods in cents"), null=True, blank=True)

    wall = Wall.PUBLIC
    not_personal = {
        "country": "country of delivery",
        "valid_from": "day from which the price holds",
        "price": "price of a delivery",
        "free_from": "sum of goods from which it costs nothing",
    }

    class Meta(Rate.Meta):
        verbose_name = _("shipping rate")
        verbose_name_plural = _("shipping rates")
        constraints = [
            models.UniqueConstraint(
                fields=["country", "valid_from"],
                name="one_shipping_rate_a_day",
                violation_error_message=_("There is a rate for this day already. Take it back first, or choose another day."),
            ),
            models.CheckConstraint(condition=Q(free_from__isnull=True) | Q(price__isnull=False), name="shipping_free_has_price"),
        ]
