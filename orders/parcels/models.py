"""Parcels and what the carrier is asked. What leads to a door is in ``ParcelLabel`` and ``OrderAddress`` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models import Q
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


class ParcelState(models.TextChoices):
    PLANNED = "planned", _("to be packed")
    PACKED = "packed", _("packed")
    HANDED_OVER = "handed_over", _("with the carrier")
    DELIVERED = "delivered", _("delivered")
    CLOSED = "closed", _("closed")
    CANCELED = "canceled", _("canceled")


CARRIER = "carrier"
"""The short name, in the register of recipients, of the carrier that new parcels travel with."""


class Parcel(models.Model):
    """Goods that travel together. Stays after an erasure."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, db_index=False, related_name="parcels")
    number = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(_("state"), max_length=12, choices=ParcelState, default=ParcelState.PLANNED)
    carrier = models.CharField(_("carrier"), max_length=50, default=CARRIER)
    planned_at = models.DateTimeField(default=timezone.now)
    packed_at = models.DateTimeField(null=True)
    labeled_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    canceled_at = models.DateTimeField(null=True)

    order_id: UUID
    operations: RelatedManager[ParcelOperation]

    wall = Wall.through("order").granting(customer="SELECT, INSERT, UPDATE (state, canceled_at)")
    not_personal = {
        "order": "the order it belongs to",
        "number": "first, second, ... parcel of the order",
        "state": "how far it is",
        "carrier": "short name of the carrier",
        "planned_at": "when",
        "packed_at": "when",
        "labeled_at": "when the carrier gave it a number",
        "handed_over_at": "when",
        "delivered_at": "when",
        "closed_at": "when",
        "canceled_at": "when",
    }

    class Meta:
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="one_parcel_per_number"),
            models.CheckConstraint(condition=Q(state__in=ParcelState.values), name="parcel_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=[ParcelState.HANDED_OVER, ParcelState.DELIVERED]) | Q(handed_over_at__isnull=False),
                name="parcel_handed_over_has_moment",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ParcelLabel(PersonalRecord):
    """The carrier's number for a parcel and its label. Destroyed 30 days after the order is closed."""

    parcel = models.ForeignKey(Parcel, on_delete=models.CASCADE, db_index=False, related_name="labels")
    tracking_number = personal(models.CharField(_("tracking number"), max_length=40), Category.DELIVERY, mask=masks.reference)
    label_reference = personal(models.CharField(_("label"), max_length=60), Category.DELIVERY, mask=masks.reference)

    wall = Wall.SUBJECT.granting(customer="SELECT")
    lifetime = Lifetime(
        purposes=[Purpose.DISPATCH, Purpose.RETURNS],
        starts="parcel__order__closed_at",
        lasts=days(30),
        until=_("30 days after the order is closed"),
    )
    not_personal = {"parcel": "the parcel it belongs to"}

    class Meta:
        verbose_name = _("parcel label")
        verbose_name_plural = _("parcel labels")
        constraints = [models.UniqueConstraint(fields=["subject", "parcel"], name="one_label_per_parcel")]

    def describe(self) -> str:
        return _("parcel of order %(code)s") % {"code": self.parcel.order.code}


class ParcelOperation(Job):
    """One request to the carrier. Its id is the idempotency key. Stays after an erasure."""

    class Kind(models.TextChoices):
        BOOK = "book", _("book a parcel and get its label")
        COLLECT = "collect", _("have the parcel collected")
        CALL_BACK = "call_back", _("call the booking back")

    class Outcome(models.TextChoices):
        REQUESTED = "requested", _("to be asked")
        SENDING = "sending", _("being asked")
        UNKNOWN = "unknown", _("no answer yet")
        SUCCEEDED = "succeeded", _("done")
        REFUSED = "refused", _("could not be asked")

    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="operations")
    kind = models.CharField(max_length=10, choices=Kind)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.REQUESTED)
    asked_at = models.DateTimeField(null=True)

    parcel_id: UUID

    wall = Wall.through("parcel")
    not_personal = {
        **JOB_FIELDS,
        "parcel": "the parcel it is about",
        "kind": "what is asked",
        "outcome": "what came of it",
        "asked_at": "when the carrier was last asked",
    }

    class Meta:
        verbose_name = _("carrier operation")
        verbose_name_plural = _("carrier operations")
        constraints = [
            models.UniqueConstraint(fields=["parcel", "kind"], condition=~Q(outcome="refused"), name="one_carrier_operation_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    def perform(self) -> None:
        from orders.parcels.operations import run_operation

        run_operation(self.pk)

    def on_failure(self) -> None:
        from orders.parcels.operations import give_up

        give_up(self.pk)
