"""Tax and shipping rates as the shop's administrators set them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orders.money import SHOP_CURRENCY, format_money
from orders.rates.actions import set_rate, take_back_rate
from orders.rates.errors import RateBegun
from orders.rates.forms import ShippingRateForm, TaxRateForm
from orders.rates.models import Rate, ShippingRate, TaxRate
from privacy.policy.admin import Button, RoleAdmin
from privacy.policy.roles import STAFF_ROLES, Role

ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})


class _RateAdmin(RoleAdmin):
    """New rates are added; a rate that has not begun can be taken back, and none is changed."""

    viewers = STAFF_ROLES
    editors = ADMINISTRATOR
    date_hierarchy = "valid_from"
    buttons = [
        Button(
            name="take_back",
            label=_("Take back"),
            does=_("The rate does not come into force. It has not been used yet, so nothing is lost."),
            action=lambda actor, rate: take_back_rate(by=actor, rate=rate),
            roles=ADMINISTRATOR,
            when=lambda rate: not rate.has_begun,
            refusals=(RateBegun,),
            is_dangerous=True,
        )
    ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        set_rate(by=request.actor, rate=obj)  # type: ignore[attr-defined]

    def _press(self, request: HttpRequest, obj: Any) -> HttpResponse:
        answer = super()._press(request, obj)
        if type(obj).objects.filter(pk=obj.pk).exists():
            return answer
        return HttpResponseRedirect(reverse(f"admin:orders_{obj._meta.model_name}_changelist"))

    @admin.display(description=_("in force"), boolean=True)
    def shown_begun(self, rate: Rate) -> bool:
        return rate.has_begun


@admin.register(TaxRate)
class TaxRateAdmin(_RateAdmin):
    form = TaxRateForm
    list_display = ["country", "tax_class", "shown_percent", "valid_from", "shown_begun"]
    list_filter = ["country", "tax_class"]

    def get_fields(self, request: HttpRequest, obj: TaxRate | None = None) -> list[Any]:
        rate = "percent" if obj is None else "shown_percent"
        return ["country", "tax_class", rate, "valid_from"]

    def get_readonly_fields(self, request: HttpRequest, obj: TaxRate | None = None) -> list[str]:
        return [] if obj is None else ["shown_percent"]

    @admin.display(description=_("rate"), ordering="basis_points")
    def shown_percent(self, rate: TaxRate) -> str:
        return _("%(percent)s %%") % {"percent": f"{rate.basis_points / 100:g}"}


@admin.register(ShippingRate)
class ShippingRateAdmin(_RateAdmin):
    form = ShippingRateForm
    list_display = ["country", "shown_price", "shown_free_from", "valid_from", "shown_begun"]
    list_filter = ["country"]

    def get_fields(self, request: HttpRequest, obj: ShippingRate | None = None) -> list[Any]:
        sums = ["price", "free_from"] if obj is None else ["shown_price", "shown_free_from"]
        return ["country", *sums, "valid_from"]

    def get_readonly_fields(self, request: HttpRequest, obj: ShippingRate | None = None) -> list[str]:
        return [] if obj is None else ["shown_price", "shown_free_from"]

    @admin.display(description=_("price"), ordering="price")
    def shown_price(self, rate: ShippingRate) -> str:
        return str(_("no delivery")) if rate.price is None else format_money(rate.price, SHOP_CURRENCY)

    @admin.display(description=_("free from"), ordering="free_from")
    def shown_free_from(self, rate: ShippingRate) -> str:
        return "" if rate.free_from is None else format_money(rate.free_from, SHOP_CURRENCY)
