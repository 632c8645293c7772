from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from orders.catalogue.models import TRANSLATED_INTO, Product, ProductCategory, StockItem

MOST_WORDS = 8
SORTS = {
    "newest": (_("Newest first"), ["-created_at", "-id"]),
    "cheapest": (_("Cheapest first"), ["price", "id"]),
    "dearest": (_("Dearest first"), ["-price", "id"]),
}
SEARCHED = [name + suffix for name in ("title", "description") for suffix in ("", *(f"_{code}" for code in TRANSLATED_INTO))]


def products_for_sale() -> QuerySet[Product]:
    return Product.objects.filter(is_active=True).select_related("stock")


def newest_products(number: int) -> QuerySet[Product]:
    return products_for_sale().order_by(*SORTS["newest"][1])[:number]


def products_matching(words: str) -> QuerySet[Product]:
    """Products whose title or description, in whatever language, holds every word of ``words``, up to eight.

    Parts of words count: "lampe" finds "Leselampe", which a search for whole words does not.
    """
    matching = products_for_sale()
    for word in words.split()[:MOST_WORDS]:
        matching = matching.filter(Q(*((f"{name}__icontains", word) for name in SEARCHED), _connector=Q.OR))
    return matching


def in_order(products: QuerySet[Product], sort: str) -> QuerySet[Product]:
    """``sort`` is a key of ``SORTS``; anything else is the first."""
    return products.order_by(*SORTS.get(sort, SORTS["newest"])[1])


def related_products(product: Product, number: int) -> QuerySet[Product]:
    """Others of the same category that are in stock, the cheaper ones first beside a cheap one."""
    in_stock = StockItem.objects.filter(product=OuterRef("pk"), on_hand__gt=F("reserved"))
    others = products_for_sale().filter(Exists(in_stock), category_id=product.category_id, category__isnull=False)
    return others.exclude(pk=product.pk).order_by("-price" if product.price > 5000 else "price", "id")[:number]


def filled_categories() -> QuerySet[ProductCategory]:
    """Categories with something for sale in them, with ``number`` of it."""
    number = Count("products", filter=Q(products__is_active=True))
    # Said again: counting drops the order that the model names.
    return ProductCategory.objects.annotate(number=number).filter(number__gt=0).order_by("position", "slug")


def products_by_id(ids: Iterable[UUID]) -> dict[UUID, Product]:
    return products_for_sale().in_bulk(list(ids))
