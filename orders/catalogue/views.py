from __future__ import annotations

from typing import Any
from zlib import crc32

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from orders.catalogue.forms import ListForm
from orders.catalogue.models import Product
from orders.catalogue.queries import (
    filled_categories,
    in_order,
    newest_products,
    products_for_sale,
    products_matching,
    related_products,
)
from orders.checkout.addresses import COUNTRY_NAMES
from orders.checkout.shipping import shipping_rates
from orders.money import SHOP_CURRENCY
from orders.pictures import KINDS, picture_svg

ON_A_PAGE = 24
ON_THE_FRONT = 12
RELATED = 4


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    return render(request, "orders/front.html", {"categories": filled_categories(), "products": newest_products(ON_THE_FRONT)})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Without words it lists everything."""
    form = ListForm(request.GET)
    return _list_page(request, "orders/search.html", products_matching(form.words), form, {"words": form.words})


@require_safe
def category_page(request: HttpRequest, slug: str) -> HttpResponse:
    category = get_object_or_404(filled_categories(), slug=slug)
    products = products_for_sale().filter(category=category)
    return _list_page(request, "orders/category.html", products, ListForm(request.GET), {"category": category})


@require_safe
def product_page(request: HttpRequest, slug: str) -> HttpResponse:
    product = get_object_or_404(products_for_sale().select_related("category"), slug=slug)
    rates = sorted(shipping_rates().values(), key=lambda rate: (rate.price, rate.country))
    context = {
        "product": product,
        "related": related_products(product, RELATED),
        "deliveries": [(COUNTRY_NAMES[rate.country], rate) for rate in rates],
        "shop_currency": SHOP_CURRENCY,
    }
    return render(request, "orders/product.html", context)


@require_safe
@cache_control(public=True, max_age=31_536_000, immutable=True)
def picture(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """A drawing that depends on nothing but its address, so that it may be kept for a year."""
    name = kind.replace("-", " ")
    if name not in KINDS:
        raise Http404
    return HttpResponse(picture_svg(slug, name, crc32(slug.encode())), content_type="image/svg+xml")


def _list_page(request: HttpRequest, template: str, products: QuerySet[Product], form: ListForm, more: dict[str, Any]) -> HttpResponse:
    page = Paginator(in_order(products, form.sort_chosen), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "products": page.object_list, "keep": form.address_part, "query": form.words}
    return render(request, template, context | more)
