"""Products and categories, and stock that moves by guarded updates which no race can push below zero."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F

from audit.events import Event
from audit.record import record
from orders.catalogue.errors import ChangedMeanwhile, OutOfStock, ReasonUnfit, StockMoved, StockPromised
from orders.catalogue.models import (
    REASONS_TO_COUNT,
    REASONS_TO_RECEIVE,
    REASONS_TO_WRITE_OFF,
    Product,
    ProductCategory,
    StockItem,
    StockMovement,
)
from privacy.policy.roles import Actor

Kind, Reason = StockMovement.Kind, StockMovement.Reason


@transaction.atomic
def add_product(*, by: Actor, product: Product, on_hand: int) -> Product:
    """Save an unsaved, valid ``product`` with ``on_hand`` pieces in stock."""
    product.full_clean()
    product.save(force_insert=True)
    StockItem.objects.create(product=product, on_hand=on_hand)
    if on_hand:
        StockMovement.objects.create(product=product, kind=Kind.RECEIVED, change=on_hand, reason=Reason.FIRST)
    record(Event.PRODUCT_ADDED, by=by, object=product)
    return product


@transaction.atomic
def change_product(*, by: Actor, product: Product) -> Product:
    """Save the edited ``product``; ``ChangedMeanwhile`` if somebody saved it after it was read."""
    product.full_clean()
    _lock_as_read(product)
    product.version += 1
    product.save(force_update=True)
    record(Event.PRODUCT_CHANGED, by=by, object=product)
    return product


@transaction.atomic
def offer_product(*, by: Actor, product: Product) -> None:
    """Put it on sale again; nothing happens if it is."""
    if Product.objects.filter(pk=product.pk, is_active=False).update(is_active=True, version=F("version") + 1):
        record(Event.PRODUCT_OFFERED, by=by, object=product)


@transaction.atomic
def take_product_off(*, by: Actor, product: Product) -> None:
    """Sell it no longer: it leaves the pages and the baskets, orders that have it go on."""
    if Product.objects.filter(pk=product.pk, is_active=True).update(is_active=False, version=F("version") + 1):
        record(Event.PRODUCT_TAKEN_OFF, by=by, object=product)


@transaction.atomic
def add_category(*, by: Actor, category: ProductCategory) -> ProductCategory:
    category.full_clean()
    category.save(force_insert=True)
    record(Event.PRODUCT_CATEGORY_ADDED, by=by, object=category)
    return category


@transaction.atomic
def change_category(*, by: Actor, category: ProductCategory) -> ProductCategory:
    category.full_clean()
    category.save(force_update=True)
    record(Event.PRODUCT_CATEGORY_CHANGED, by=by, object=category)
    return category


@transaction.atomic
def receive_stock(*, by: Actor, product: Product, quantity: int, reason: str) -> None:
    """Pieces more in the warehouse; ``reason`` is one of ``REASONS_TO_RECEIVE``."""
    _check(quantity, reason, REASONS_TO_RECEIVE)
    StockItem.objects.filter(product=product).update(on_hand=F("on_hand") + quantity)
    _note(product, Kind.RECEIVED, quantity, reason)
    record(Event.STOCK_RECEIVED, by=by, object=product, outcome=reason)


@transaction.atomic
def write_off_stock(*, by: Actor, product: Product, quantity: int, reason: str) -> None:
    """Pieces fewer in the warehouse; ``StockPromised`` if orders need them. ``reason`` is one of ``REASONS_TO_WRITE_OFF``."""
    _check(quantity, reason, REASONS_TO_WRITE_OFF)
    free = StockItem.objects.filter(product=product, on_hand__gte=F("reserved") + quantity)
    if not free.update(on_hand=F("on_hand") - quantity):
        raise StockPromised(StockItem.objects.get(product=product).reserved)
    _note(product, Kind.WRITTEN_OFF, -quantity, reason)
    record(Event.STOCK_WRITTEN_OFF, by=by, object=product, outcome=reason)


@transaction.atomic
def count_stock(*, by: Actor, product: Product, counted: int, seen: int, reason: str) -> None:
    """Set what is on hand to what was ``counted``; ``reason`` is one of ``REASONS_TO_COUNT``.

    ``seen`` is what the books said when the person counted: ``StockMoved`` when it is something else by now, for
    then the count is about a moment that has passed. ``StockPromised`` when orders need more.
    """
    _check(counted, reason, REASONS_TO_COUNT, least=0)
    stock = StockItem.objects.select_for_update().get(product=product)
    if stock.on_hand != seen:
        raise StockMoved(stock.on_hand)
    if counted < stock.reserved:
        raise StockPromised(stock.reserved)
    stock.on_hand = counted
    stock.save(update_fields=["on_hand"])
    _note(product, Kind.COUNTED, counted - seen, reason)
    record(Event.STOCK_COUNTED, by=by, object=product, outcome=reason)


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
        StockMovement.objects.create(product_id=product_id, kind=Kind.SHIPPED, change=-quantity, reason=Reason.ORDER)


def return_stock(quantities: Iterable[tuple[UUID, int]]) -> None:
    """Put pieces that buyers sent back on the shelf again, inside the caller's transaction."""
    for product_id, quantity in sorted(quantities):
        StockItem.objects.filter(product_id=product_id).update(on_hand=F("on_hand") + quantity)
        StockMovement.objects.create(product_id=product_id, kind=Kind.RETURNED, change=quantity, reason=Reason.ORDER)


def _check(quantity: int, reason: str, fitting: Collection[str], least: int = 1) -> None:
    if quantity < least:
        raise ValueError(quantity)
    if reason not in fitting:
        raise ReasonUnfit(reason)


def _note(product: Product, kind: StockMovement.Kind, change: int, reason: str) -> None:
    StockMovement.objects.create(product=product, kind=kind, change=change, reason=reason)


def _lock_as_read(product: Product) -> None:
    if Product.objects.select_for_update().values_list("version", flat=True).get(pk=product.pk) != product.version:
        raise ChangedMeanwhile(product.pk)
