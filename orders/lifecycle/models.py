"""An order: money, states and dates in rows that name nobody, the person in rows beside them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.lifecycle.errors import OrderOfNobody
from privacy.declarations import masks
from privacy.declarations.categories import Category
from privacy.declarations.lifetimes import Lifetime, days
from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import Wall
from privacy.vault.fields import personal
from privacy.vault.identifiers import uuid7
from privacy.vault.records import PersonalRecord
from privacy.wall.uniqueness import UniqueByHash

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager

    from privacy.vault.models import Subject

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_code() -> str:
    """Ten random characters without look-alikes; tells nothing about how many orders there are."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(10))


class OrderState(models.TextChoices):
    PENDING_PAYMENT = "pending_payment", _("waiting for payment")
    RECEIVED = "received", _("being checked")
    CONFIRMED = "confirmed", _("confirmed")
    COMPLETED = "completed", _("delivered")
    CLOSED = "closed", _("closed")
    EXPIRED = "expired", _("not paid in time")
    CANCELED = "canceled", _("canceled")


ENDED = (OrderState.COMPLETED, OrderState.CLOSED, OrderState.EXPIRED, OrderState.CANCELED)


class Order(models.Model):
    """One purchase. Stays after an erasure: lines, totals and dates, with an opaque subject.

    ``closed_at`` is the moment from which nothing about the order is open any more, however it ended;
    the lifetimes of the personal rows start there. ``checkout_token`` makes a form place one order only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(_("order number"), max_length=10, default=new_code, editable=False)
    subject = models.ForeignKey("privacy.Subject", null=True, on_delete=models.SET_NULL, db_index=False, related_name="+")
    state = models.CharField(_("state"), max_length=16, choices=OrderState, default=OrderState.PENDING_PAYMENT)
    country = models.CharField(_("country"), max_length=2)
    currency = models.CharField(max_length=3)
    goods_total = models.PositiveIntegerField()
    shipping_total = models.PositiveIntegerField()
    tax_total = models.PositiveIntegerField()
    total = models.PositiveIntegerField(_("total"))
    locale = models.CharField(max_length=10)
    policy_version = models.PositiveIntegerField()
    checkout_token = models.UUIDField()
    is_guest = models.BooleanField(_("without an account"), default=False)
    placed_at = models.DateTimeField(_("placed"), default=timezone.now)
    received_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    canceled_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    subject_id: UUID | None
    lines: RelatedManager[OrderLine]
    events: RelatedManager[OrderEvent]

    wall = Wall.SUBJECT.granting(customer="SELECT, INSERT, UPDATE (state, canceled_at)", gate="SELECT (id, subject_id, is_guest)")
    not_personal = {
        "code": "random number of the order",
        "subject": "random id of the person; opens nothing",
        "state": "how far the order is",
        "country": "decides tax and shipping; shared by millions",
        "currency": "currency of the totals",
        "goods_total": "sum of the lines",
        "shipping_total": "price of the delivery",
        "tax_total": "tax inside the total",
        "total": "sum to pay",
        "locale": "language of the shop at that moment",
        "policy_version": "number of the policy in force",
        "checkout_token": "random number of the form",
        "is_guest": "whether it was placed without an account",
        "placed_at": "when it was placed",
        "received_at": "when the payment was authorized",
        "confirmed_at": "when staff confirmed it",
        "completed_at": "when everything was delivered",
        "canceled_at": "when it was canceled",
        "expired_at": "when the time to pay ended",
        "closed_at": "when nothing about it was open any more",
    }

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        indexes = [
            models.Index(fields=["subject", "-placed_at"], name="order_by_subject"),
            models.Index(fields=["state", "placed_at"], name="order_by_state"),
        ]
        constraints = [
            UniqueByHash(field="code", name="one_order_per_code"),
            UniqueByHash(field="checkout_token", name="one_order_per_form"),
            models.CheckConstraint(condition=Q(state__in=OrderState.values), name="order_state_known"),
            models.CheckConstraint(condition=Q(total=F("goods_total") + F("shipping_total")), name="order_total_adds_up"),
            models.CheckConstraint(condition=Q(tax_total__lte=F("total")), name="order_tax_within_total"),
            models.CheckConstraint(
                condition=~Q(state__in=[OrderState.CLOSED, OrderState.EXPIRED]) | Q(closed_at__isnull=False),
                name="order_closed_has_moment",
            ),
            models.CheckConstraint(
                condition=Q(canceled_at__isnull=False, state=OrderState.CANCELED)
                | Q(canceled_at__isnull=True) & ~Q(state=OrderState.CANCELED),
                name="order_canceled_has_moment",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("orders:detail", args=[self.code])

    @property
    def person(self) -> Subject:
        """Who ordered; ``OrderOfNobody`` when even the person's id is gone."""
        if self.subject is None:
            raise OrderOfNobody(self.code)
        return self.subject

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED


class OrderLine(models.Model):
    """What was bought, frozen: later changes of the product change no order. Stays after an erasure."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    product = models.ForeignKey("orders.Product", null=True, on_delete=models.SET_NULL, related_name="+")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120)
    sku = models.CharField(max_length=80)
    quantity = models.PositiveSmallIntegerField()
    unit_price = models.PositiveIntegerField()
    total = models.PositiveIntegerField()
    tax_rate = models.PositiveSmallIntegerField()
    shipping_share = models.PositiveIntegerField()
    tax = models.PositiveIntegerField()

    wall = Wall.through("order").granting(customer="SELECT, INSERT")
    not_personal = {
        "order": "the order it belongs to",
        "product": "the product bought",
        "position": "place in the list",
        "title": "name of the product",
        "sku": "short name of the product",
        "quantity": "pieces",
        "unit_price": "price of one piece",
        "total": "price of the line",
        "tax_rate": "rate at that moment",
        "shipping_share": "part of the delivery price",
        "tax": "tax inside the line and its share of the delivery",
    }

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="one_line_per_position"),
            models.CheckConstraint(condition=Q(total=F("unit_price") * F("quantity")), name="line_total_adds_up"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_quantity_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"


class OrderContact(PersonalRecord):
    """Who ordered and where news of the order goes. Destroyed 90 days after the order is closed."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, db_index=False, related_name="contacts")
    name = personal(models.CharField(_("name"), max_length=120), Category.PURCHASE, mask=masks.name)
    email = personal(models.EmailField(_("email for news of the order"), max_length=254), Category.PURCHASE, mask=masks.email)

    lifetime = Lifetime(
        purposes=[Purpose.ORDER, Purpose.RETURNS],
        starts="order__closed_at",
        lasts=days(90),
        until=_("90 days after the order is closed"),
    )
    not_personal = {"order": "the order it belongs to"}
    correctable_on_request = ("name", "email")

    class Meta:
        verbose_name = _("contact for an order")
        verbose_name_plural = _("contacts for orders")
        constraints = [models.UniqueConstraint(fields=["subject", "order"], name="one_contact_per_order")]

    def describe(self) -> str:
        return _("order %(code)s") % {"code": self.order.code}


class OrderAddress(PersonalRecord):
    """Where a parcel goes. Destroyed 30 days after its order is closed."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, db_index=False, related_name="addresses")
    addressee = personal(models.CharField(_("name on the parcel"), max_length=120), Category.DELIVERY, mask=masks.name)
    line1 = personal(models.CharField(_("street"), max_length=200), Category.DELIVERY, mask=masks.address)
    line2 = personal(models.CharField(_("second line"), max_length=200, null=True, blank=True), Category.DELIVERY, mask=masks.address)
    district = personal(models.CharField(_("district"), max_length=120, null=True, blank=True), Category.DELIVERY, mask=masks.address)
    locality = personal(models.CharField(_("town"), max_length=120, null=True, blank=True), Category.DELIVERY, mask=masks.address)
    region = personal(models.CharField(_("region"), max_length=120, null=True, blank=True), Category.DELIVERY, mask=masks.address)
    postcode = personal(models.CharField(_("postcode"), max_length=20, null=True, blank=True), Category.DELIVERY, mask=masks.address)
    country = models.CharField(_("country"), max_length=2)

    lifetime = Lifetime(
        purposes=[Purpose.DISPATCH, Purpose.RETURNS],
        starts="order__closed_at",
        lasts=days(30),
        until=_("30 days after the order is closed"),
    )
    not_personal = {
        "order": "the order it belongs to",
        "country": "needed for tax, shared by millions",
    }
    correctable_on_request = ("addressee", "line1", "line2", "district", "locality", "region", "postcode")

    class Meta:
        verbose_name = _("delivery address")
        verbose_name_plural = _("delivery addresses")
        constraints = [models.UniqueConstraint(fields=["subject", "order"], name="one_address_per_order")]

    def describe(self) -> str:
        return _("order %(code)s") % {"code": self.order.code}


class OrderEvent(models.Model):
    """One step in the life of an order; append-only, codes alone. Stays after an erasure."""

    class Kind(models.TextChoices):
        PLACED = "placed", _("We got your order.")
        PAYMENT_AUTHORIZED = "payment_authorized", _("Your bank has set the money aside. We are checking the order.")
        PAYMENT_DECLINED = "payment_declined", _("Your bank said no to the payment.")
        PAYMENT_RETRIED = "payment_retried", _("You asked us to try the payment again.")
        PAYMENT_CAPTURED = "payment_captured", _("We took the payment.")
        PAYMENT_VOIDED = "payment_voided", _("We let go of the money that your bank had set aside.")
        PAYMENT_FAILED = "payment_failed", _("The payment provider could not do what we asked. Our staff look into it.")
        CONFIRMED = "confirmed", _("We confirmed your order and will pack it next.")
        PACKED = "packed", _("Your parcel is packed.")
        LABELED = "labeled", _("The carrier has given your parcel a number.")
        HANDED_OVER = "handed_over", _("The carrier has your parcel.")
        IN_TRANSIT = "in_transit", _("Your parcel is on its way.")
        DELIVERED = "delivered", _("Your parcel was delivered.")
        COMPLETED = "completed", _("Everything in your order has been delivered.")
        CANCELED = "canceled", _("The order was canceled.")
        EXPIRED = "expired", _("The order was not paid in time, so it has ended.")
        REFUND_STARTED = "refund_started", _("We asked the payment provider to give your money back.")
        REFUNDED = "refunded", _("Your money is on its way back. Banks need up to 5 days.")
        INVOICED = "invoiced", _("Your invoice is ready.")
        WITHDRAWN = "withdrawn", _("You canceled the purchase, or a part of it.")
        GOODS_BACK = "goods_back", _("What you sent back is with us.")
        WITHDRAWAL_EXEMPT = "withdrawal_exempt", _("We answered: the law makes an exception for these goods.")
        CREDITED = "credited", _("Your credit note is ready.")
        CLOSED = "closed", _("The order is closed. Its address goes 30 days from then.")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, db_index=False, related_name="events")
    kind = models.CharField(max_length=24, choices=Kind)
    role = models.CharField(max_length=20)
    code = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(default=timezone.now)

    wall = Wall.through("order")
    append_only = True
    not_personal = {
        "order": "the order it belongs to",
        "kind": "what happened",
        "role": "in which role somebody did it",
        "code": "a reason code",
        "at": "when",
    }

    class Meta:
        verbose_name = _("order event")
        verbose_name_plural = _("order events")
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["order", "at"], name="event_by_order")]

    def __str__(self) -> str:
        return self.kind
