"""Adding products, and moving stock with guarded updates that no race can push below zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F

from audit.events import Event
from audit.record import record
from orders.catalogue.errors import OutOfStock
from orders.catalogue.models import Product, StockItem
from privacy.policy.roles import Actor


@transaction.atomic
def add_product(*, by: Actor, product: Product, on_hand: int) -> Product:
    """Save an unsaved, valid ``product`` with ``on_hand`` pieces in stock."""
    product.full_clean()
    product.save(force_insert=True)
    StockItem.objects.create(product=product, on_hand=on_hand)
    record(Event.PRODUCT_ADDED, by=by, object=product)
    return product


@transaction.atomic
def change_product(*, by: Actor, product: Product, on_hand: int) -> Product:
    """Save the edited ``product`` and count its stock as ``on_hand``.

    Refused with ``OutOfStock`` when orders have reserved more pieces than that.
    """
    product.full_clean()
    product.save(force_update=True)
    counted = StockItem.objects.filter(product=product, reserved__lte=on_hand).update(on_hand=on_hand)
    if not counted:
        raise OutOfStock(product.pk)
    record(Event.PRODUCT_CHANGED, by=by, object=product)
    return product


def reserve_stock(quantities: Mapping[UUID, int]) -> None:
    """Promise pieces to an order inside the caller's transaction; ``OutOfStock`` names the first lacking product.

    Rows are taken in the order of their ids: two baskets with the same products in another order would
    otherwise wait for each other forever.
    """
    for product_id, quantity in sorted(quantities.items()):
        # Not product__is_active: a join turns the update into one over a subquery, whose guard PostgreSQL does
        # not check again after waiting for the row, and the last piece is sold twice.
        reserved = StockItem.objects.filter(
            Exists(Product.objects.filter(pk=product_id, is_active=True)),
            product_id=product_id,
            on_hand__gte=F("reserved") + quantity,
        ).update(reserved=F("reserved") + quantity)
        if not reserved:
            raise OutOfStock(product_id)


def release_stock(quantities: Iterable[tuple[UUID, int]]) -> None:
    """Give back what an order had reserved."""
    for product_id, quantity in sorted(quantities):
        StockItem.objects.filter(product_id=product_id).update(reserved=F("reserved") - quantity)


def ship_stock(quantities: Iterable[tuple[UUID, int]]) -> None:
    """Take reserved pieces out of the warehouse."""
    for product_id, quantity in sorted(quantities):
        StockItem.objects.filter(product_id=product_id).update(reserved=F("reserved") - quantity, on_hand=F("on_hand") - quantity)
