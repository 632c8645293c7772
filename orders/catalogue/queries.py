from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from orders.catalogue.models import Product


def products_for_sale() -> QuerySet[Product]:
    return Product.objects.filter(is_active=True).select_related("stock")


def products_matching(words: str) -> QuerySet[Product]:
    """Products whose title or description holds every word of ``words``."""
    matching = products_for_sale()
    for word in words.split():
        matching = matching.filter(Q(title__icontains=word) | Q(description__icontains=word))
    return matching


def products_by_id(ids: Iterable[UUID]) -> dict[UUID, Product]:
    return products_for_sale().in_bulk(list(ids))
