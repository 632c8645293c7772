"""A buyer's declaration that a purchase is off, and what came of it. Names nobody; stays after an erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations.walls import Wall
from privacy.vault.identifiers import uuid7
from privacy.wall.uniqueness import UniqueByHash

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class WithdrawalState(models.TextChoices):
    DECLARED = "declared", _("declared")
    ACKNOWLEDGED = "acknowledged", _("acknowledged, waiting for the goods")
    GOODS_BACK = "goods_back", _("goods are back")
    REFUNDED = "refunded", _("money given back")
    CLOSED = "closed", _("closed")


OPEN = (WithdrawalState.DECLARED, WithdrawalState.ACKNOWLEDGED, WithdrawalState.GOODS_BACK)


class ContractWithdrawal(models.Model):
    """One declaration about one order (Directive 2011/83/EU, Art. 9 to 16). There is no refusal: only an exemption
    that the law names, and a declaration after the deadline, which staff decide on with a named reason.

    ``deadline_at`` is empty while the goods have not arrived: the time has not begun.
    """

    class Exemption(models.TextChoices):
        MADE_TO_ORDER = "made_to_order", _("made to your own specification (Art. 16(c))")
        PERISHABLE = "perishable", _("spoils or expires quickly (Art. 16(d))")
        HYGIENE = "hygiene", _("sealed for hygiene, and the seal was broken (Art. 16(e))")
        MIXED = "mixed", _("cannot be taken apart from other goods any more (Art. 16(f))")
        MEDIA = "media", _("sealed recording or software, and the seal was broken (Art. 16(i))")
        TOO_LATE = "too_late", _("declared after the deadline (Art. 9(1))")

    class LateReason(models.TextChoices):
        NOT_INFORMED = "not_informed", _("we did not inform about the right in time (Art. 10)")
        SENT_IN_TIME = "sent_in_time", _("it was sent before the deadline (Art. 11(2))")
        GOODWILL = "goodwill", _("goodwill")

    class Outcome(models.TextChoices):
        CANCELED = "canceled", _("the order was canceled before it left us")
        REFUNDED = "refunded", _("the money went back")
        EXEMPT = "exempt", _("the law makes an exception for these goods")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="withdrawals", verbose_name=_("order"))
    token = models.UUIDField()
    state = models.CharField(_("state"), max_length=12, choices=WithdrawalState, default=WithdrawalState.DECLARED)
    declared_at = models.DateTimeField(_("declared at"), default=timezone.now)
    deadline_at = models.DateTimeField(_("deadline"), null=True)
    is_late = models.BooleanField(_("after the deadline"), default=False)
    late_reason = models.CharField(_("accepted late because"), max_length=12, choices=LateReason, blank=True)
    exemption = models.CharField(_("exemption"), max_length=14, choices=Exemption, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    goods_back_at = models.DateTimeField(_("goods back at"), null=True)
    refunded_at = models.DateTimeField(_("refunded at"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    refund = models.OneToOneField("orders.Refund", null=True, on_delete=models.PROTECT, related_name="withdrawal")

    order_id: UUID
    lines: RelatedManager[WithdrawalLine]

    wall = Wall.through("order").granting(customer="SELECT, INSERT, UPDATE (state, outcome, closed_at, refunded_at, exemption)")
    not_personal = {
        "order": "the order it is about",
        "token": "random number of the form",
        "state": "how far it is",
        "declared_at": "when",
        "deadline_at": "until when it could be declared",
        "is_late": "whether it came after that",
        "late_reason": "a reason code",
        "exemption": "a code for an exception in the law",
        "outcome": "a code for how it ended",
        "acknowledged_at": "when we wrote that it has arrived",
        "goods_back_at": "when",
        "refunded_at": "when",
        "closed_at": "when",
        "refund": "the decision to give money back",
    }

    class Meta:
        verbose_name = _("withdrawal from a purchase")
        verbose_name_plural = _("withdrawals from purchases")
        ordering = ["declared_at", "id"]
        indexes = [models.Index(fields=["state", "declared_at"], name="withdrawal_by_state")]
        constraints = [
            UniqueByHash(field="token", name="one_withdrawal_per_form"),
            models.CheckConstraint(condition=Q(state__in=WithdrawalState.values), name="withdrawal_state_known"),
            models.CheckConstraint(
                condition=~Q(state=WithdrawalState.CLOSED) | Q(closed_at__isnull=False) & ~Q(outcome=""),
                name="withdrawal_closed_has_outcome",
            ),
            models.CheckConstraint(condition=~Q(outcome="exempt") | ~Q(exemption=""), name="withdrawal_exempt_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.order.code} {self.get_state_display()}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class WithdrawalLine(models.Model):
    """How many pieces of one line are given up. Stays after an erasure."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    withdrawal = models.ForeignKey(ContractWithdrawal, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey("orders.OrderLine", on_delete=models.PROTECT, related_name="withdrawals")
    quantity = models.PositiveSmallIntegerField()

    line_id: UUID

    wall = Wall.through("withdrawal").granting(customer="SELECT, INSERT")
    not_personal = {"withdrawal": "the declaration", "line": "what was bought", "quantity": "pieces"}

    class Meta:
        verbose_name = _("line of a withdrawal")
        verbose_name_plural = _("lines of withdrawals")
        ordering = ["line__position"]
        constraints = [
            models.UniqueConstraint(fields=["withdrawal", "line"], name="one_withdrawal_line_per_line"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="withdrawn_quantity_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.line.title}"

    @property
    def total(self) -> int:
        """The price of the pieces given up."""
        return self.line.unit_price * self.quantity
