from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from orders.basket.contents import add_to_basket, read_basket, set_quantity
from orders.basket.forms import AddForm, QuantityForm
from orders.catalogue.queries import products_for_sale
from orders.money import SHOP_CURRENCY


@require_safe
def basket_page(request: HttpRequest) -> HttpResponse:
    items = read_basket(request.session)
    context = {
        "items": items,
        "total": sum(item.total for item in items),
        "currency": SHOP_CURRENCY,
        "is_available": all(item.is_available for item in items),
    }
    return render(request, "orders/basket.html", context)


@require_POST
def add(request: HttpRequest, slug: str) -> HttpResponse:
    product = get_object_or_404(products_for_sale(), slug=slug)
    form = AddForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Please choose a number of pieces from 1 to 20."))
        return redirect(product)
    add_to_basket(request.session, product, form.cleaned_data["quantity"])
    messages.success(request, _("%(title)s is in your basket.") % {"title": product.name})
    return redirect("orders:basket")


@require_POST
def change(request: HttpRequest, slug: str) -> HttpResponse:
    product = get_object_or_404(products_for_sale(), slug=slug)
    form = QuantityForm(request.POST)
    if form.is_valid():
        set_quantity(request.session, product, form.cleaned_data["quantity"])
    else:
        messages.error(request, _("Please choose a number of pieces from 0 to 20."))
    return redirect("orders:basket")
