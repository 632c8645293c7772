from __future__ import annotations

from zlib import crc32

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from orders.catalogue.forms import SearchForm
from orders.catalogue.queries import products_for_sale, products_matching
from orders.checkout.shipping import FREE_FROM, HOME
from orders.money import SHOP_CURRENCY
from orders.pictures import KINDS, picture_svg


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    return render(request, "orders/front.html", {"products": products_for_sale()})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    products = products_matching(words) if words else []
    return render(request, "orders/search.html", {"form": form, "words": words, "products": products})


@require_safe
def product_page(request: HttpRequest, slug: str) -> HttpResponse:
    product = get_object_or_404(products_for_sale(), slug=slug)
    context = {"product": product, "home_price": HOME, "free_from": FREE_FROM, "free_currency": SHOP_CURRENCY}
    return render(request, "orders/product.html", context)


@require_safe
@cache_control(public=True, max_age=31_536_000, immutable=True)
def picture(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """A drawing that depends on nothing but its address, so that it may be kept for a year."""
    name = kind.replace("-", " ")
    if name not in KINDS:
        raise Http404
    return HttpResponse(picture_svg(slug, name, crc32(slug.encode())), content_type="image/svg+xml")
