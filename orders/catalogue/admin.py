"""The shop's goods as staff keep them: administrators the catalogue, fulfillment the stock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from orders.catalogue import actions
from orders.catalogue.errors import ChangedMeanwhile, StockMoved, StockPromised
from orders.catalogue.forms import MOVEMENT_FORMS, CategoryForm, CountForm, ProductForm, ReceiveForm, WriteOffForm, _MovementForm
from orders.catalogue.models import Product, ProductCategory, StockItem, StockMovement
from orders.money import format_money
from privacy.policy.admin import Button, RoleAdmin
from privacy.policy.roles import STAFF_ROLES, Role

ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
KEEPS_STOCK = frozenset({Role.FULFILLMENT})
MOVEMENTS_SHOWN = 20

MOVE: dict[type[_MovementForm], Callable[..., None]] = {
    ReceiveForm: actions.receive_stock,
    WriteOffForm: actions.write_off_stock,
    CountForm: actions.count_stock,
}


@admin.register(ProductCategory)
class ProductCategoryAdmin(RoleAdmin):
    viewers = STAFF_ROLES
    editors = ADMINISTRATOR
    form = CategoryForm
    list_display = ["title", "title_de", "title_ar", "position"]
    search_fields = ["title", "slug"]
    prepopulated_fields = {"slug": ["title"]}

    def get_prepopulated_fields(self, request: HttpRequest, obj: ProductCategory | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["title"]}

    def save_model(self, request: HttpRequest, obj: ProductCategory, form: ModelForm, change: bool) -> None:
        save = actions.change_category if change else actions.add_category
        save(by=request.actor, category=obj)  # type: ignore[attr-defined]


@admin.register(Product)
class ProductAdmin(RoleAdmin):
    viewers = STAFF_ROLES
    editors = ADMINISTRATOR
    form = ProductForm
    list_display = ["title", "shown_category", "shown_price", "on_hand", "reserved", "is_active"]
    list_filter = ["is_active", "category", "tax_class"]
    search_fields = ["title", "title_de", "title_ar", "slug"]
    ordering = ["title"]
    buttons = [
        Button(
            name="offer",
            label=_("Put on sale again"),
            does=_("Customers see the product and can buy it."),
            action=lambda actor, product: actions.offer_product(by=actor, product=product),
            roles=ADMINISTRATOR,
            when=lambda product: not product.is_active,
        ),
        Button(
            name="take_off",
            label=_("Take off sale"),
            does=_("The product leaves the shop and the baskets. Orders that have it go on. You can put it back later."),
            action=lambda actor, product: actions.take_product_off(by=actor, product=product),
            roles=ADMINISTRATOR,
            when=lambda product: product.is_active,
            is_dangerous=True,
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).select_related("stock", "category")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Product | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["title"]}

    def get_fields(self, request: HttpRequest, obj: Product | None = None) -> list[Any]:
        """What the form asks beside the product itself is for those who may change it."""
        more = [] if self._role(request) not in self.editors else ["seen"] if obj else ["on_hand"]
        return [*ProductForm.Meta.fields, *more]

    def case_context(self, request: HttpRequest, obj: Product) -> dict[str, Any]:
        return {"case_panels": ["orders/admin_product.html"], "product": obj, "stock_address": _address_of(obj.stock)}

    def save_model(self, request: HttpRequest, obj: Product, form: ModelForm, change: bool) -> None:
        actor = request.actor  # type: ignore[attr-defined]
        if change:
            actions.change_product(by=actor, product=obj)
        else:
            actions.add_product(by=actor, product=obj, on_hand=form.cleaned_data["on_hand"])

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ChangedMeanwhile:
            messages.error(request, _("Nothing was changed: somebody else saved this product at the same moment."))
            return HttpResponseRedirect(request.path)

    @admin.display(description=_("product category"), ordering="category__position")
    def shown_category(self, product: Product) -> str:
        return str(product.category or "")

    @admin.display(description=_("price"), ordering="price")
    def shown_price(self, product: Product) -> str:
        return format_money(product.price, product.currency)

    @admin.display(description=_("on hand"), ordering="stock__on_hand")
    def on_hand(self, product: Product) -> int:
        return product.stock.on_hand

    @admin.display(description=_("promised to orders"), ordering="stock__reserved")
    def reserved(self, product: Product) -> int:
        return product.stock.reserved


class RunsLow(admin.SimpleListFilter):
    """What can still be sold."""

    title = _("stock")
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("none", _("sold out")), ("few", _("five or fewer")), ("enough", _("more than five"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StockItem]) -> QuerySet[StockItem]:
        ranges: dict[str, dict[str, Any]] = {"none": {"free": 0}, "few": {"free__range": (1, 5)}, "enough": {"free__gt": 5}}
        return queryset.filter(**ranges.get(self.value() or "", {}))


@admin.register(StockItem)
class StockAdmin(RoleAdmin):
    """Received, written off and counted here; each with its reason, none by typing over a number."""

    viewers = STAFF_ROLES
    own_forms = frozenset(kind.name for kind in MOVEMENT_FORMS)
    list_display = ["product", "on_hand", "reserved", "shown_available"]
    list_filter = [RunsLow]
    search_fields = ["product__title", "product__slug"]
    fields: ClassVar = ("product",)
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockItem]:
        return super().get_queryset(request).select_related("product").annotate(free=F("on_hand") - F("reserved"))

    def case_context(self, request: HttpRequest, obj: StockItem) -> dict[str, Any]:
        may_move = self._role(request) in KEEPS_STOCK
        tried: _MovementForm | None = getattr(request, "movement_form", None)
        forms = [tried if tried and isinstance(tried, kind) else kind(obj) for kind in MOVEMENT_FORMS] if may_move else []
        return {
            "case_panels": ["orders/admin_stock.html"],
            "stock": obj,
            "movement_forms": forms,
            "movements": obj.product.movements.all()[:MOVEMENTS_SHOWN],
        }

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        kind = next((kind for kind in MOVEMENT_FORMS if request.method == "POST" and kind.name in request.POST), None)
        if kind and self._role(request) not in KEEPS_STOCK:
            raise PermissionDenied
        if kind and (stock := self.get_object(request, object_id)):
            form = kind(stock, request.POST)
            if form.is_valid() and self._move(request, form):
                return HttpResponseRedirect(request.path)
            request.movement_form = form  # type: ignore[attr-defined]
        return super().change_view(request, object_id, form_url, extra_context)

    def _move(self, request: HttpRequest, form: _MovementForm) -> bool:
        try:
            MOVE[type(form)](by=request.actor, product=form.stock.product, **form.cleaned_data)  # type: ignore[attr-defined]
        except StockPromised as refusal:
            form.add_error(None, _("Orders have been promised %(count)s pieces: these must stay.") % {"count": refusal.reserved})
        except StockMoved as refusal:
            text = _("The stock has moved while you counted: the books now say %(count)s. Please count again.")
            form.add_error(None, text % {"count": refusal.on_hand})
        else:
            messages.success(request, _("The stock was changed."))
            return True
        return False

    @admin.display(description=_("can be sold"), ordering="free")
    def shown_available(self, stock: StockItem) -> int:
        return stock.available


@admin.register(StockMovement)
class StockMovementAdmin(RoleAdmin):
    viewers = STAFF_ROLES
    list_display = ["at", "product", "kind", "shown_change", "reason"]
    list_filter = ["kind", "reason"]
    search_fields = ["product__title", "product__slug"]
    list_select_related = ["product"]

    @admin.display(description=_("pieces"), ordering="change")
    def shown_change(self, movement: StockMovement) -> str:
        return format_html("<bdi>{}</bdi>", f"{movement.change:+d}")


def _address_of(stock: StockItem) -> str:
    return reverse("admin:orders_stockitem_change", args=[stock.pk])
