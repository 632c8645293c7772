from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orders.catalogue.actions import add_product, change_product
from orders.catalogue.forms import ProductForm
from orders.catalogue.models import Product
from orders.money import format_money
from privacy.policy.admin import RoleAdmin
from privacy.policy.roles import STAFF_ROLES, Role


@admin.register(Product)
class ProductAdmin(RoleAdmin):
    viewers = STAFF_ROLES
    editors = frozenset({Role.ADMINISTRATOR})
    form = ProductForm
    list_display = ["title", "shown_price", "on_hand", "reserved", "is_active"]
    list_filter = ["is_active", "tax_class"]
    search_fields = ["title", "slug"]
    prepopulated_fields = {"slug": ["title"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).select_related("stock")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Product | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["title"]}

    def save_model(self, request: HttpRequest, obj: Product, form: ModelForm, change: bool) -> None:
        save = change_product if change else add_product
        save(by=request.actor, product=obj, on_hand=form.cleaned_data["on_hand"])  # type: ignore[attr-defined]

    @admin.display(description=_("price"), ordering="price")
    def shown_price(self, product: Product) -> str:
        return format_money(product.price, product.currency)

    @admin.display(description=_("on hand"), ordering="stock__on_hand")
    def on_hand(self, product: Product) -> int:
        return product.stock.on_hand

    @admin.display(description=_("reserved"), ordering="stock__reserved")
    def reserved(self, product: Product) -> int:
        return product.stock.reserved
