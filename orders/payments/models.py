"""Money rows: what was asked, what was answered, what moved. The person is in ``PaymentDetail`` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations import masks
from privacy.declarations.categories import Category
from privacy.declarations.lifetimes import Lifetime, days
from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import Wall
from privacy.jobs.models import JOB_FIELDS, Job
from privacy.vault.fields import personal
from privacy.vault.identifiers import uuid7
from privacy.vault.records import PersonalRecord

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class Method(models.TextChoices):
    """What the sandbox offers, named by how the bank behaves."""

    CARD = "card", _("Card that works")
    DECLINED = "declined", _("Card that the bank declines")
    SLOW = "slow", _("Bank that answers late")


class PaymentState(models.TextChoices):
    CREATED = "created", _("asked")
    AUTHORIZED = "authorized", _("money set aside")
    CAPTURED = "captured", _("taken")
    VOIDED = "voided", _("let go")
    FAILED = "failed", _("declined")


class Payment(models.Model):
    """One attempt to pay an order. The sums are caches of the ledger. Stays after an erasure."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="payments")
    method = models.CharField(_("method"), max_length=10, choices=Method)
    state = models.CharField(_("state"), max_length=10, choices=PaymentState, default=PaymentState.CREATED)
    currency = models.CharField(max_length=3)
    amount = models.PositiveIntegerField()
    authorized = models.PositiveIntegerField(default=0)
    captured = models.PositiveIntegerField(default=0)
    voided = models.PositiveIntegerField(default=0)
    refunded = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    order_id: UUID
    operations: RelatedManager[PaymentOperation]

    wall = Wall.through("order").granting(customer="SELECT, INSERT, UPDATE (created_at)")  # to lock it
    not_personal = {
        "order": "the order paid",
        "method": "kind of payment",
        "state": "how far it is",
        "currency": "currency of the order",
        "amount": "what is to be paid",
        "authorized": "sum set aside",
        "captured": "sum taken",
        "voided": "sum let go",
        "refunded": "sum given back",
        "created_at": "when it was asked",
    }

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=PaymentState.values), name="payment_state_known"),
            models.CheckConstraint(condition=Q(authorized__lte=F("amount")), name="payment_authorized_within_amount"),
            models.CheckConstraint(condition=Q(authorized__gte=F("captured") + F("voided")), name="payment_captured_within_authorized"),
            models.CheckConstraint(condition=Q(refunded__lte=F("captured")), name="payment_refunded_within_captured"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class PaymentDetail(PersonalRecord):
    """Who pays and with what. Destroyed 120 days after the order is closed, when a bank can no longer dispute it."""

    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, db_index=False, related_name="details")
    payer = personal(models.CharField(_("name of the payer"), max_length=120), Category.FINANCIAL, mask=masks.name)
    label = personal(
        models.CharField(_("payment method"), max_length=60, null=True, blank=True),
        Category.FINANCIAL,
        mask=masks.reference,
    )

    lifetime = Lifetime(
        purposes=[Purpose.PAYMENT, Purpose.RETURNS],
        starts="payment__order__closed_at",
        lasts=days(120),
        until=_("120 days after the order is closed, the time in which a bank can dispute a payment"),
    )
    not_personal = {"payment": "the payment it belongs to"}

    class Meta:
        verbose_name = _("payment detail")
        verbose_name_plural = _("payment details")
        constraints = [models.UniqueConstraint(fields=["subject", "payment"], name="one_detail_per_payment")]

    def describe(self) -> str:
        return _("payment of order %(code)s") % {"code": self.payment.order.code}


class OperationKind(models.TextChoices):
    AUTHORIZE = "authorize", _("set money aside")
    CAPTURE = "capture", _("take the money")
    VOID = "void", _("let the money go")
    REFUND = "refund", _("give money back")


class Outcome(models.TextChoices):
    """``unknown`` means the call timed out: it may have happened, so the provider is asked before it is repeated."""

    REQUESTED = "requested", _("to be asked")
    SENDING = "sending", _("being asked")
    UNKNOWN = "unknown", _("no answer yet")
    PENDING = "pending", _("accepted, waiting for the result")
    SUCCEEDED = "succeeded", _("done")
    DECLINED = "declined", _("declined")


SETTLED = (Outcome.SUCCEEDED, Outcome.DECLINED)


class Refund(models.Model):
    """The decision to give money back; the operation beside it carries it out. Stays after an erasure."""

    class Reason(models.TextChoices):
        CANCELED = "canceled", _("order canceled")
        WITHDRAWN = "withdrawn", _("purchase canceled by the buyer")
        DAMAGED = "damaged", _("goods damaged")
        MISSING = "missing", _("goods missing")
        GOODWILL = "goodwill", _("goodwill")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    role = models.CharField(max_length=20)
    decided_at = models.DateTimeField(default=timezone.now)

    wall = Wall.through("payment").granting(customer="SELECT, INSERT")
    not_personal = {
        "payment": "the payment given back",
        "amount": "sum given back",
        "currency": "currency of the order",
        "reason": "a reason code",
        "role": "in which role somebody decided",
        "decided_at": "when",
    }

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="refund_above_zero")]

    def __str__(self) -> str:
        return str(self.pk)


class PaymentOperation(Job):
    """One request to the payment provider. Its id is the idempotency key. Stays after an erasure."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="operations")
    refund = models.OneToOneField(Refund, null=True, on_delete=models.PROTECT, related_name="operation")
    kind = models.CharField(max_length=10, choices=OperationKind)
    amount = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.REQUESTED)
    asked_at = models.DateTimeField(null=True)

    payment_id: UUID

    wall = Wall.through("payment")
    not_personal = {
        **JOB_FIELDS,
        "payment": "the payment it belongs to",
        "refund": "the decision it carries out",
        "kind": "what is asked",
        "amount": "sum",
        "outcome": "what came of it",
        "asked_at": "when the provider was last asked",
    }

    class Meta:
        verbose_name = _("payment operation")
        verbose_name_plural = _("payment operations")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="operation_above_zero"),
            models.CheckConstraint(
                condition=Q(kind=OperationKind.REFUND, refund__isnull=False) | ~Q(kind=OperationKind.REFUND) & Q(refund__isnull=True),
                name="operation_refund_has_decision",
            ),
            models.UniqueConstraint(
                fields=["payment", "kind"],
                condition=~Q(kind=OperationKind.REFUND) & ~Q(outcome=Outcome.DECLINED),
                name="one_operation_of_a_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["asked_at"], condition=~Q(outcome__in=SETTLED), name="operation_unsettled"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    def perform(self) -> None:
        from orders.payments.operations import run_operation

        run_operation(self.pk)

    def on_failure(self) -> None:
        from orders.payments.operations import give_up

        give_up(self.pk)


class LedgerEntry(models.Model):
    """Money that moved, as the provider reported it. Append-only; stays after an erasure."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="ledger")
    operation = models.OneToOneField(PaymentOperation, on_delete=models.PROTECT, related_name="entry")
    kind = models.CharField(max_length=10, choices=OperationKind)
    amount = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    at = models.DateTimeField(default=timezone.now)

    wall = Wall.through("payment").granting(customer="SELECT")
    append_only = True
    not_personal = {
        "payment": "the payment it belongs to",
        "operation": "what was asked",
        "kind": "which way money moved",
        "amount": "sum",
        "currency": "currency of the order",
        "at": "when we learned of it",
    }

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_above_zero")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"


class WebhookEvent(models.Model):
    """A message from outside that was taken in, so that its repetition changes nothing. Holds no payload."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)
    received_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=10)

    wall = Wall.STAFF
    not_personal = {
        "provider": "who sent it",
        "event_id": "the sender's random id",
        "kind": "what it was about",
        "received_at": "when",
        "outcome": "applied, stale or unknown",
    }

    class Meta:
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="one_event_per_provider")]

    def __str__(self) -> str:
        return self.event_id
