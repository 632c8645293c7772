"""What can happen to products, orders, parcels, money and invoices."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from uuid import uuid4

from django.core.cache import cache
from django.test import RequestFactory
from django.utils import timezone

from audit.events import Event
from orders.catalogue.actions import (
    add_category,
    add_product,
    change_category,
    change_product,
    count_stock,
    offer_product,
    receive_stock,
    take_product_off,
    write_off_stock,
)
from orders.catalogue.models import Product, ProductCategory
from orders.checkout.actions import place_guest_order, place_order
from orders.guests.actions import admit_guest, request_link, request_new_link
from orders.guests.links import issue_link
from orders.invoices.actions import issue_invoice
from orders.invoices.credits import issue_credit_note
from orders.lifecycle.actions import announce, cancel_order, close_order, complete_order, confirm_order, expire_order, receive_order
from orders.lifecycle.models import Order
from orders.lifecycle.timeline import append_event
from orders.lifecycle.timers import advance_timers, close_finished_orders, expire_unpaid_orders
from orders.parcels.actions import deliver_parcel, hand_over_parcel, pack_parcel, receive_parcel_webhook, request_label
from orders.parcels.carrier import Booking
from orders.parcels.models import ParcelOperation
from orders.parcels.operations import give_up, keep_label, run_operation
from orders.payments.actions import (
    refund_order,
    request_capture,
    request_payment,
    retry_capture,
    retry_payment,
    retry_unwinding,
    unwind_payments,
)
from orders.payments.models import PaymentOperation
from orders.payments.results import apply_answer, apply_result, receive_payment_webhook
from orders.rates.actions import set_first_rates, set_rate, take_back_rate
from orders.rates.models import ShippingRate, TaxRate
from orders.webhooks import HEADER, answer_webhook
from orders.withdrawals.actions import (
    accept_late_withdrawal,
    acknowledge_withdrawal,
    declare_withdrawal,
    exempt_withdrawal,
    receive_goods,
    refund_withdrawal,
)
from orders.withdrawals.endings import close, close_with_order, end_with_cancellation, end_with_refund, note_money_back
from orders.withdrawals.models import ContractWithdrawal
from privacy.policy.roles import Actor, Role
from tests.orders import factories
from tests.rules import canaries
from tests.rules.calls.people import EVERYTHING, TEST, actor, customer, done, order
from tests.rules.calls.table import call

# The catalogue


def unsaved_product() -> Product:
    return Product(slug=f"thing-{uuid4().hex[:8]}", title="A thing", description="A thing.", kind="mug", price=2000)


@call(add_product, writes=[Event.PRODUCT_ADDED])
def with_stock():
    return lambda: add_product(by=TEST, product=unsaved_product(), on_hand=3)


@call(change_product, writes=[Event.PRODUCT_CHANGED])
def dearer():
    product = factories.make_product()
    return lambda: change_product(by=TEST, product=Product.objects.get(pk=product.pk))


@call(offer_product, writes=[Event.PRODUCT_OFFERED])
def again():
    product = factories.make_product(is_active=False)
    return lambda: offer_product(by=TEST, product=product)


@call(take_product_off, writes=[Event.PRODUCT_TAKEN_OFF])
def sold_no_longer():
    product = factories.make_product()
    return lambda: take_product_off(by=TEST, product=product)


def unsaved_category() -> ProductCategory:
    return ProductCategory(slug=f"kind-{uuid4().hex[:8]}", title="A kind", kind="mug")


@call(add_category, writes=[Event.PRODUCT_CATEGORY_ADDED])
def new():
    return lambda: add_category(by=TEST, category=unsaved_category())


@call(change_category, writes=[Event.PRODUCT_CATEGORY_CHANGED])
def renamed():
    category = add_category(by=TEST, category=unsaved_category())
    return lambda: change_category(by=TEST, category=category)


@call(receive_stock, writes=[Event.STOCK_RECEIVED])
def delivery():
    product = factories.make_product()
    return lambda: receive_stock(by=TEST, product=product, quantity=2, reason="delivery")


@call(write_off_stock, writes=[Event.STOCK_WRITTEN_OFF])
def damaged():
    product = factories.make_product()
    return lambda: write_off_stock(by=TEST, product=product, quantity=2, reason="damaged")


@call(count_stock, writes=[Event.STOCK_COUNTED])
def stocktaking():
    product = factories.make_product(on_hand=10)
    return lambda: count_stock(by=TEST, product=product, counted=9, seen=10, reason="stocktaking")


# Rates


def tax_rate() -> TaxRate:
    return TaxRate(country="FR", tax_class="standard", basis_points=2000, valid_from=timezone.localdate() + timedelta(days=40))


def shipping_rate() -> ShippingRate:
    return ShippingRate(country="FR", price=900, valid_from=timezone.localdate() + timedelta(days=41))


@call(set_rate, writes=[Event.TAX_RATE_SET])
def of_tax():
    return lambda: set_rate(by=TEST, rate=tax_rate())


@call(set_first_rates, writes=[Event.SHIPPING_RATE_SET, Event.TAX_RATE_SET])
def of_tax_and_shipping():
    return lambda: set_first_rates(by=TEST, rates=[tax_rate(), shipping_rate()])


@call(take_back_rate, writes=[Event.TAX_RATE_TAKEN_BACK])
def of_tax_to_come():
    rate = set_rate(by=TEST, rate=tax_rate())
    return lambda: take_back_rate(by=TEST, rate=TaxRate.objects.get(pk=rate.pk))


@call(take_back_rate, writes=[Event.SHIPPING_RATE_TAKEN_BACK])
def of_shipping_to_come():
    rate = set_rate(by=TEST, rate=shipping_rate())
    return lambda: take_back_rate(by=TEST, rate=ShippingRate.objects.get(pk=rate.pk))


# Buying


@call(
    place_order,
    request_payment,
    append_event,
    announce,
    writes=[
        Event.MESSAGE_QUEUED,
        Event.ORDER_PLACED,
        Event.PAYMENT_REQUESTED,
        Event.DATA_COLLECTED,
        Event.DATA_COLLECTED,
        Event.DATA_COLLECTED,
        Event.DATA_OPENED,
        Event.DATA_OPENED,
    ],
)
def by_a_customer():
    user, items = customer(), [(factories.make_product(), 2)]
    return lambda: factories.place(user=user, items=items, address=canaries.ADDRESS)


@call(
    place_guest_order,
    place_order,
    writes=[
        Event.PERMISSION_GIVEN,
        Event.PERMISSION_GIVEN,
        Event.PERMISSION_GIVEN,
        Event.PERMISSION_GIVEN,
        Event.PERMISSION_GIVEN,
        Event.PERMISSION_GIVEN,
        Event.MESSAGE_QUEUED,
        Event.ORDER_PLACED,
        Event.PAYMENT_REQUESTED,
        Event.DATA_COLLECTED,
        Event.DATA_COLLECTED,
        Event.DATA_COLLECTED,
        Event.DATA_OPENED,
    ],
)
def without_an_account():
    items = [(factories.make_product(), 2)]
    who = {"name": canaries.NAME, "address": canaries.ADDRESS}
    return lambda: factories.place_as_guest(items=items, email=canaries.mailbox(), permissions=EVERYTHING[1:], **who)


def guests_order() -> Order:
    return factories.place_as_guest(name=canaries.NAME, email=canaries.mailbox(), address=canaries.ADDRESS)


@call(request_link, writes=[Event.LOOKUP_REQUESTED])
def by_number_and_address():
    code = guests_order().code
    return lambda: request_link(by=TEST, code=code, email=canaries.mailbox(), locale="en")


@call(request_new_link, writes=[Event.LOOKUP_REQUESTED])
def let_in_already():
    placed = guests_order()
    guest = Actor(Role.CUSTOMER, placed.subject_id)
    return lambda: request_new_link(by=guest, order=placed, locale="en")


@call(admit_guest, writes=[Event.GUEST_ADMITTED])
def by_a_mailed_link():
    token = issue_link(guests_order(), timedelta(minutes=15)).split("/")[-2]
    return lambda: admit_guest(by=TEST, token=token)


@call(confirm_order, writes=[Event.MESSAGE_QUEUED, Event.ORDER_CONFIRMED])
def checked():
    received = order(factories.received)
    by = actor(Role.SUPPORT)
    return lambda: confirm_order(by=by, order=received)


@call(cancel_order, unwind_payments, end_with_cancellation, writes=[Event.MESSAGE_QUEUED, Event.ORDER_CANCELED, Event.PAYMENT_REQUESTED])
def before_it_leaves():
    confirmed = order(factories.confirmed)
    by = actor(Role.SUPPORT)
    return lambda: cancel_order(by=by, order=confirmed)


@call(expire_order, writes=[Event.ORDER_EXPIRED])
def unpaid():
    placed = order()
    return lambda: expire_order(by=TEST, order=placed)


@call(close_order, close_with_order, writes=[Event.ORDER_CLOSED])
def delivered_long_ago():
    delivered = order(factories.delivered)
    PaymentOperation.objects.filter(payment__order=delivered).update(outcome="succeeded")
    return lambda: close_order(by=TEST, order=delivered)


@call(advance_timers, expire_unpaid_orders, close_finished_orders, writes=[Event.ORDER_EXPIRED])
def one_due():
    Order.objects.filter(pk=order().pk).update(placed_at=timezone.now() - timedelta(days=30))
    return lambda: advance_timers(by=TEST)


# Money


@call(apply_result, receive_order, writes=[Event.PAYMENT_AUTHORIZED])
def authorized():
    operation = factories.operation(order(), "authorize")
    return lambda: apply_result(by=TEST, operation_id=operation.pk, state="succeeded")


@call(
    apply_answer,
    apply_result,
    issue_invoice,
    writes=[Event.INVOICE_ISSUED, Event.PAYMENT_CAPTURED, Event.DATA_COLLECTED, Event.DATA_COLLECTED, Event.DATA_OPENED],
)
def captured():
    operation = factories.operation(order(factories.packed, is_paid=False), "capture")
    return lambda: apply_answer(by=TEST, operation_id=operation.pk, state="succeeded", label=f"{canaries.MARK} ending 4242")


@call(apply_answer, writes=[Event.PAYMENT_AUTHORIZED, Event.DATA_COLLECTED])
def with_a_label():
    operation = factories.operation(order(), "authorize")
    return lambda: apply_answer(by=TEST, operation_id=operation.pk, state="succeeded", label=f"{canaries.MARK} ending 4242")


@call(apply_result, writes=[Event.MESSAGE_QUEUED, Event.PAYMENT_REFUSED])
def declined():
    operation = factories.operation(order(), "authorize")
    return lambda: apply_result(by=TEST, operation_id=operation.pk, state="declined")


def canceled(make=factories.received) -> Order:
    return done(lambda: cancel_order(by=TEST, order=order(make)))


@call(apply_result, writes=[Event.PAYMENT_VOIDED])
def voided():
    operation = factories.operation(canceled(), "void")
    return lambda: apply_result(by=TEST, operation_id=operation.pk, state="succeeded")


@call(
    apply_result,
    issue_credit_note,
    end_with_refund,
    writes=[Event.MESSAGE_QUEUED, Event.CREDIT_NOTE_ISSUED, Event.PAYMENT_REFUNDED, Event.DATA_COLLECTED, Event.DATA_OPENED],
)
def refunded():
    delivered = order(factories.delivered)
    done(lambda: refund_order(by=TEST, order=delivered, amount=100, reason="goodwill"))
    operation = factories.operation(delivered, "refund")
    return lambda: apply_result(by=TEST, operation_id=operation.pk, state="succeeded")


@call(receive_payment_webhook, writes=[Event.PAYMENT_AUTHORIZED])
def told_by_the_provider():
    operation = factories.operation(order(), "authorize")
    return lambda: receive_payment_webhook(by=TEST, event_id=str(uuid4()), kind="authorize.succeeded", key=operation.pk)


@call(retry_payment, writes=[Event.PAYMENT_REQUESTED, Event.DATA_COLLECTED, Event.DATA_OPENED])
def after_a_refusal():
    placed = factories.settle(order(), "authorize", "declined")
    return lambda: retry_payment(by=TEST, order=placed, method="card")


@call(retry_capture, writes=[Event.PAYMENT_REQUESTED])
def of_a_packed_order():
    packed = factories.settle(order(factories.packed, is_paid=False), "capture", "declined")
    return lambda: retry_capture(by=TEST, order=packed)


@call(retry_unwinding, writes=[Event.PAYMENT_REQUESTED])
def still_held():
    stuck = factories.settle(canceled(), "void", "declined")
    return lambda: retry_unwinding(by=TEST, order=stuck)


@call(refund_order, writes=[Event.PAYMENT_REQUESTED])
def in_part():
    delivered = order(factories.delivered)
    return lambda: refund_order(by=TEST, order=delivered, amount=100, reason="goodwill")


# Parcels


@call(pack_parcel, request_capture, writes=[Event.PARCEL_PACKED, Event.PAYMENT_REQUESTED])
def packed():
    parcel = factories.parcel_of(order(factories.confirmed))
    by = actor(Role.FULFILLMENT)
    return lambda: pack_parcel(by=by, parcel=parcel)


def booking_of(packed: Order) -> ParcelOperation:
    return ParcelOperation.objects.get(parcel__order=packed, kind="book")


@call(request_label, writes=[Event.PARCEL_LABEL_REQUESTED])
def once_more():
    unlabeled = order(factories.packed, is_labeled=False)
    ParcelOperation.objects.filter(pk=booking_of(unlabeled).pk).update(outcome="refused")
    return lambda: request_label(by=TEST, parcel=factories.parcel_of(unlabeled))


@call(keep_label, writes=[Event.PARCEL_LABELED, Event.DATA_COLLECTED])
def of_the_carrier():
    book = booking_of(order(factories.packed, is_labeled=False))
    return lambda: keep_label(book, Booking(f"{canaries.MARK}0123456789", f"{canaries.MARK}-L"))


@call(give_up, writes=[Event.PARCEL_FAILED])
def no_answer():
    book = booking_of(order(factories.packed, is_labeled=False))
    return lambda: give_up(book.pk)


@call(run_operation, writes=[Event.PARCEL_CALLED_BACK])
def of_a_canceled_order():
    booked = order(factories.packed, is_labeled=False)
    run_operation(booking_of(booked).pk)
    done(lambda: cancel_order(by=TEST, order=booked))
    call_back = ParcelOperation.objects.get(parcel__order=booked, kind="call_back")
    return lambda: run_operation(call_back.pk)


@call(hand_over_parcel, writes=[Event.MESSAGE_QUEUED, Event.PARCEL_HANDED_OVER])
def to_the_carrier():
    parcel = factories.parcel_of(order(factories.packed))
    by = actor(Role.FULFILLMENT)
    return lambda: hand_over_parcel(by=by, parcel=parcel)


@call(deliver_parcel, complete_order, writes=[Event.MESSAGE_QUEUED, Event.ORDER_COMPLETED, Event.PARCEL_DELIVERED])
def arrived():
    parcel = factories.parcel_of(order(factories.handed_over))
    by = actor(Role.FULFILLMENT)
    return lambda: deliver_parcel(by=by, parcel=parcel)


@call(receive_parcel_webhook, writes=[Event.MESSAGE_QUEUED, Event.ORDER_COMPLETED, Event.PARCEL_DELIVERED])
def told_by_the_carrier():
    parcel = factories.parcel_of(order(factories.handed_over))
    return lambda: receive_parcel_webhook(by=TEST, event_id=str(uuid4()), kind="parcel.delivered", parcel_id=parcel.pk)


@call(answer_webhook, writes=[Event.WEBHOOK_REFUSED])
def not_signed():
    body = json.dumps({"id": canaries.NAME, "type": canaries.WORDS, "key": canaries.mailbox()})

    def act() -> None:
        cache.delete("webhook-refused:payments")
        request = RequestFactory(**canaries.BROWSER).post(
            "/webhooks/payments/", body, content_type="application/json", headers={HEADER: f"t={int(time.time())},v1={canaries.MARK}"}
        )
        done(lambda: answer_webhook(request, partner="payments", about="key", receive=lambda message: "applied"))

    return act


# Withdrawals


def declared(make=factories.delivered) -> ContractWithdrawal:
    bought = order(make)
    return done(lambda: declare_withdrawal(by=TEST, order=bought, token=uuid4()))


def late() -> ContractWithdrawal:
    withdrawal = declared()
    ContractWithdrawal.objects.filter(pk=withdrawal.pk).update(is_late=True)
    return ContractWithdrawal.objects.get(pk=withdrawal.pk)


def goods_back() -> ContractWithdrawal:
    withdrawal = declared()
    return done(lambda: receive_goods(by=TEST, withdrawal=withdrawal, to_stock=True))


@call(declare_withdrawal, writes=[Event.MESSAGE_QUEUED, Event.WITHDRAWAL_DECLARED])
def of_a_delivered_order():
    bought = order(factories.delivered)
    return lambda: declare_withdrawal(by=TEST, order=bought, token=uuid4())


@call(
    declare_withdrawal,
    cancel_order,
    close,
    writes=[
        Event.MESSAGE_QUEUED,
        Event.MESSAGE_QUEUED,
        Event.ORDER_CANCELED,
        Event.PAYMENT_REQUESTED,
        Event.WITHDRAWAL_CLOSED,
        Event.WITHDRAWAL_DECLARED,
    ],
)
def of_one_still_here():
    bought = order(factories.confirmed)
    return lambda: declare_withdrawal(by=TEST, order=bought, token=uuid4())


@call(acknowledge_withdrawal, writes=[Event.WITHDRAWAL_ACKNOWLEDGED])
def mailed():
    withdrawal = declared()
    return lambda: acknowledge_withdrawal(by=TEST, withdrawal=withdrawal)


@call(accept_late_withdrawal, writes=[Event.WITHDRAWAL_ACCEPTED_LATE])
def for_goodwill():
    withdrawal = late()
    reason = ContractWithdrawal.LateReason.values[0]
    return lambda: accept_late_withdrawal(by=TEST, withdrawal=withdrawal, reason=reason)


@call(receive_goods, writes=[Event.WITHDRAWAL_GOODS_RECEIVED])
def back_on_the_shelf():
    withdrawal = declared()
    return lambda: receive_goods(by=TEST, withdrawal=withdrawal, to_stock=True)


@call(refund_withdrawal, refund_order, writes=[Event.PAYMENT_REQUESTED])
def all_of_it():
    withdrawal = goods_back()
    return lambda: refund_withdrawal(by=TEST, withdrawal=withdrawal)


@call(
    apply_result,
    end_with_refund,
    note_money_back,
    close,
    writes=[
        Event.MESSAGE_QUEUED,
        Event.CREDIT_NOTE_ISSUED,
        Event.PAYMENT_REFUNDED,
        Event.WITHDRAWAL_CLOSED,
        Event.DATA_COLLECTED,
        Event.DATA_OPENED,
    ],
)
def of_a_withdrawal():
    withdrawal = done(lambda: refund_withdrawal(by=TEST, withdrawal=goods_back()))
    Order.objects.filter(pk=withdrawal.order_id).update(state="closed", closed_at=timezone.now())
    operation = factories.operation(withdrawal.order, "refund")
    return lambda: apply_result(by=TEST, operation_id=operation.pk, state="succeeded")


@call(exempt_withdrawal, writes=[Event.MESSAGE_QUEUED, Event.WITHDRAWAL_CLOSED, Event.WITHDRAWAL_EXEMPTED])
def too_late():
    withdrawal = late()
    return lambda: exempt_withdrawal(by=TEST, withdrawal=withdrawal, exemption="too_late")
