from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.money import SHOP_CURRENCY, major_units, minor_units
from orders.rates.models import ShippingRate, TaxRate
from privacy.access.forms import StrictModelForm

STAFF_BUTTONS = frozenset({"_save", "_continue", "_addanother"})


class _RateForm(StrictModelForm):
    submit_names = STAFF_BUTTONS

    def clean_valid_from(self) -> date:
        chosen: date = self.cleaned_data["valid_from"]
        if chosen < timezone.localdate():
            raise forms.ValidationError(_("Choose today or a later day: what was sold before keeps its rate."))
        return chosen


class TaxRateForm(_RateForm):
    percent = forms.DecimalField(label=_("rate in percent"), min_value=0, max_value=100, decimal_places=2)

    class Meta:
        model = TaxRate
        fields = ["country", "tax_class", "valid_from"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.instance.basis_points = int(cleaned.get("percent", Decimal()) * 100)
        return cleaned


class ShippingRateForm(_RateForm):
    """An empty price ends the deliveries to the country."""

    price = forms.DecimalField(
        label=_("price with tax, in euros"),
        min_value=0,
        max_digits=6,
        decimal_places=2,
        required=False,
        help_text=_("Leave it empty to deliver there no longer from that day on."),
    )
    free_from = forms.DecimalField(
        label=_("free from a sum of goods, in euros"),
        min_value=major_units(1, SHOP_CURRENCY),
        max_digits=8,
        decimal_places=2,
        required=False,
        help_text=_("Leave it empty if delivery always costs something."),
    )

    class Meta:
        model = ShippingRate
        fields = ["country", "valid_from", "price", "free_from"]

    def clean_price(self) -> int | None:
        return _minor(self.cleaned_data["price"])

    def clean_free_from(self) -> int | None:
        return _minor(self.cleaned_data["free_from"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("free_from") is not None and "price" in cleaned and cleaned["price"] is None:
            self.add_error("free_from", _("Without a price there is no delivery that could be free."))
        return cleaned


def _minor(amount: Decimal | None) -> int | None:
    return None if amount is None else minor_units(amount, SHOP_CURRENCY)
