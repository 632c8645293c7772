"""The basket of a session. Products that are no longer for sale fall out of it when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from orders.catalogue.models import Product
from orders.catalogue.queries import products_by_id

KEY = "basket"
MOST_PIECES = 20
MOST_PRODUCTS = 40


@dataclass(frozen=True)
class BasketItem:
    product: Product
    quantity: int

    @property
    def total(self) -> int:
        return self.product.price * self.quantity

    @property
    def is_available(self) -> bool:
        return self.product.stock.available >= self.quantity


def read_basket(session: SessionBase) -> list[BasketItem]:
    """What is in the basket and for sale, in the order in which it was put in; one query."""
    stored: dict[str, int] = session.get(KEY, {})
    if not stored:
        return []
    products = products_by_id(UUID(product_id) for product_id in stored)
    return [BasketItem(products[UUID(product_id)], quantity) for product_id, quantity in stored.items() if UUID(product_id) in products]


def add_to_basket(session: SessionBase, product: Product, quantity: int) -> None:
    set_quantity(session, product, session.get(KEY, {}).get(str(product.pk), 0) + quantity)


def set_quantity(session: SessionBase, product: Product, quantity: int) -> None:
    """Keep so many pieces, at most ``MOST_PIECES``; none takes the product out."""
    stored: dict[str, int] = dict(session.get(KEY, {}))
    if quantity <= 0:
        stored.pop(str(product.pk), None)
    elif str(product.pk) in stored or len(stored) < MOST_PRODUCTS:
        stored[str(product.pk)] = min(quantity, MOST_PIECES)
    session[KEY] = stored


def empty_basket(session: SessionBase) -> None:
    session.pop(KEY, None)


def basket_count(request: HttpRequest) -> dict[str, int]:
    """Context processor: the number beside the basket."""
    return {"basket_count": sum(request.session.get(KEY, {}).values())}
