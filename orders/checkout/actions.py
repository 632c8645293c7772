"""Placing an order: one transaction from the permissions to the request for payment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from privacy.access.gate import open_access
from privacy.consent.actions import give_consent
from privacy.consent.queries import missing_purposes
from privacy.declarations.purposes import Purpose
from privacy.policy.queries import policy_in_force
from privacy.policy.roles import Actor
from privacy.vault.models import Subject
from privacy.vault.sealed import Sealed

ORDER_PURPOSES = (Purpose.ORDER, Purpose.PAYMENT, Purpose.DISPATCH, Purpose.RETURNS, Purpose.FRAUD)


def order_of_form(subject: Subject, token: UUID) -> Order | None:
    """The order that this form has placed already."""
    return Order.objects.filter(subject=subject, checkout_token=token).first()


@transaction.atomic
def place_order(
    *,
    by: Actor,
    subject: Subject,
    token: UUID,
    items: Sequence[tuple[Product, int]],
    country: str,
    address: Mapping[str, str],
    name: Sealed,
    email: Sealed,
    method: str,
    permissions: Iterable[Purpose] = (),
    locale: str,
) -> Order:
    """Place one order; the same ``token`` of the same person gives the same order again.

    ``permissions`` are those just given; ``address`` has the plain values of the country's fields. Raises
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
    order, is_new = _create_order(subject, token, quote(items, country), locale)
    if not is_new:
        return order
    reserve_stock({product.pk: quantity for product, quantity in items})
    _write_person(order, by=by, name=name, email=email, address=address)
    append_event(order, OrderEvent.Kind.PLACED, by=by)
    record(Event.ORDER_PLACED, by=by, subject=subject, object=order)
    request_payment(order, by=by, method=method)
    announce(order, "orders_placed", by=by)
    return order


def _create_order(subject: Subject, token: UUID, quoted: Quote, locale: str) -> tuple[Order, bool]:
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
            title=line.product.title,
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


def _write_person(order: Order, *, by: Actor, name: Sealed, email: Sealed, address: Mapping[str, str]) -> None:
    """Copies, not links: the order keeps who it was for when the account changes."""
    case = Reference.to(order)
    with open_access(by=by, purpose=Purpose.ORDER, subject=order.person, case=case) as grant:
        OrderContact.objects.create(subject=order.person, order=order, name=grant.open(name), email=grant.open(email))
    with open_access(by=by, purpose=Purpose.DISPATCH, subject=order.person, case=case):
        OrderAddress.objects.create(subject=order.person, order=order, country=order.country, **address)
