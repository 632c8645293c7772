"""Placing an order: one transaction from the permissions to the request for payment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.events import Event
from audit.record import Reference, record
from orders.catalogue.actions import reserve_stock
from orders.catalogue.models import Product
from orders.checkout.errors import BasketEmpty, CheckoutTokenTaken, MethodUnknown, PermissionsMissing
from orders.checkout.prices import Quote, quote
from orders.lifecycle.actions import announce
from orders.lifecycle.models import Order, OrderAddress, OrderContact, OrderEvent, OrderLine
from orders.lifecycle.timeline import append_event
from orders.payments.actions import request_payment
from orders.payments.models import Method
from privacy.access.gate import Grant, open_access
from privacy.access.places import person_of_form
from privacy.consent.actions import give_consent
from privacy.consent.queries import missing_purposes
from privacy.declarations.purposes import Purpose
from privacy.policy.queries import policy_in_force
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject
from privacy.vault.sealed import Sealed

ORDER_PURPOSES = (Purpose.ORDER, Purpose.PAYMENT, Purpose.DISPATCH, Purpose.RETURNS, Purpose.FRAUD)


def order_of_form(subject: Subject | UUID, token: UUID) -> Order | None:
    """The order that this form has placed already."""
    return Order.objects.filter(subject=subject, checkout_token=token, is_guest=False).first()


def guest_order_of_form(token: UUID) -> Order | None:
    """The same without an account: nobody but the browser that was given the form knows its random number."""
    return Order.objects.filter(checkout_token=token, is_guest=True, subject__erased_at=None).first()


@transaction.atomic
def place_guest_order(*, token: UUID, **purchase: Any) -> Order:
    """``place_order`` for somebody without an account; the same ``token`` gives the same order again.

    Each order is a person of its own: two that were given the same address are never joined by it, for nobody has
    proved yet whose mailbox it is. ``name`` and ``email`` are plain, everything else is as in ``place_order``.
    """
    placed = guest_order_of_form(token)
    if placed is not None:
        return placed
    try:
        with transaction.atomic():
            person, is_new = Subject.objects.get_or_create(pk=person_of_form(token))
            if not is_new:
                raise CheckoutTokenTaken
            return place_order(by=Actor(Role.CUSTOMER, id=person.pk), subject=person, token=token, is_guest=True, **purchase)
    except CheckoutTokenTaken:
        placed = guest_order_of_form(token)
        if placed is None:
            raise
        return placed


@transaction.atomic
def place_order(
    *,
    by: Actor,
    subject: Subject,
    token: UUID,
    items: Sequence[tuple[Product, int]],
    country: str,
    address: Mapping[str, str],
    name: Sealed | str,
    email: Sealed | str,
    method: str,
    permissions: Iterable[Purpose] = (),
    locale: str,
    is_guest: bool = False,
) -> Order:
    """Place one order; the same ``token`` of the same person gives the same order again.

    ``permissions`` are those just given; ``address`` has the plain values of the country's fields; ``name`` and
    ``email`` are the sealed ones of an account, or plain. Raises
    ``BasketEmpty``, ``MethodUnknown``, ``PermissionsMissing``, ``CheckoutTokenTaken`` or ``OutOfStock``.
    """
    if not items:
        raise BasketEmpty
    if method not in Method.values:
        raise MethodUnknown(method)
    # Orders an erasure and an order that come at once: see ``close_gate`` in privacy.rights.steps.
    subject = Subject.objects.select_for_update().get(pk=subject.pk)
    for purpose in permissions:
        give_consent(by=by, subject=subject, purpose=purpose, locale=locale)
    if missing_purposes(subject.pk, ORDER_PURPOSES):
        raise PermissionsMissing
    order, is_new = _create_order(subject, token, quote(items, country), locale, is_guest)
    if not is_new:
        return order
    reserve_stock({product.pk: quantity for product, quantity in items})
    _write_person(order, by=by, name=name, email=email, address=address)
    append_event(order, OrderEvent.Kind.PLACED, by=by)
    record(Event.ORDER_PLACED, by=by, subject=subject, object=order)
    request_payment(order, by=by, method=method)
    announce(order, "orders_placed", by=by)
    return order


def _create_order(subject: Subject, token: UUID, quoted: Quote, locale: str, is_guest: bool) -> tuple[Order, bool]:
    """A second submit of the same form waits here for the first one to commit and then finds its order."""
    try:
        with transaction.atomic():
            order = Order.objects.create(
                subject=subject,
                checkout_token=token,
                country=quoted.country,
                currency=quoted.currency,
                goods_total=quoted.goods_total,
                shipping_total=quoted.shipping_total,
                tax_total=quoted.tax_total,
                total=quoted.total,
                locale=locale,
                policy_version=policy_in_force().number,
                is_guest=is_guest,
            )
    except IntegrityError:
        existing = order_of_form(subject, token)
        if existing is None:
            raise CheckoutTokenTaken from None
        return existing, False
    OrderLine.objects.bulk_create(_lines(order, quoted))
    return order, True


def _lines(order: Order, quoted: Quote) -> list[OrderLine]:
    return [
        OrderLine(
            order=order,
            product=line.product,
            position=position,
            title=line.product.title_in(order.locale),
            sku=line.product.slug,
            quantity=line.quantity,
            unit_price=line.product.price,
            total=line.total,
            tax_rate=line.tax_rate,
            shipping_share=line.shipping_share,
            tax=line.tax,
        )
        for position, line in enumerate(quoted.lines, start=1)
    ]


def _write_person(order: Order, *, by: Actor, name: Sealed | str, email: Sealed | str, address: Mapping[str, str]) -> None:
    """Copies, not links: the order keeps who it was for when the account changes."""
    case = Reference.to(order)
    with open_access(by=by, purpose=Purpose.ORDER, subject=order.person, case=case, writes=Event.DATA_COLLECTED) as grant:
        plain = {"name": _plain(name, grant), "email": _plain(email, grant)}
        OrderContact.objects.create(subject=order.person, order=order, **plain)
    with open_access(by=by, purpose=Purpose.DISPATCH, subject=order.person, case=case, writes=Event.DATA_COLLECTED):
        OrderAddress.objects.create(subject=order.person, order=order, country=order.country, **address)


def _plain(value: Sealed | str, grant: Grant) -> str:
    return value if isinstance(value, str) else grant.open(value)
