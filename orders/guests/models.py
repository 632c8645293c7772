"""Who asked for the link to an order, and the links that were mailed. No row here names anybody."""

from __future__ import annotations

from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from privacy.declarations.walls import Wall
from privacy.jobs.models import HOW_FAR, JOB_FIELDS, Job
from privacy.vault.identifiers import uuid7
from privacy.wall.uniqueness import UniqueByHash


class LeadsTo(models.TextChoices):
    """Which page of the order a mailed link opens."""

    ORDER = "order", _("the order")
    WITHDRAWAL = "withdrawal", _("cancel the purchase")


class OrderLookup(Job):
    """Somebody gave an order number and an address. Compared by a worker, so that the page cannot tell who orders here.

    What was given is emptied as soon as the work is done; the row is destroyed a day later.
    """

    code = models.CharField(max_length=10, blank=True)
    digest = models.BinaryField(max_length=32, null=True)
    order = models.ForeignKey("orders.Order", null=True, on_delete=models.CASCADE, related_name="lookups")
    leads_to = models.CharField(max_length=10, choices=LeadsTo, default=LeadsTo.ORDER)
    locale = models.CharField(max_length=12)

    order_id: UUID | None

    wall = Wall.GATE.granting(
        customer="INSERT", staff="SELECT (id, order_id, queued_at, state, due_at, finished_at)", auditor=HOW_FAR
    ).keeping("digest", to=("gate",))
    not_personal = {
        **JOB_FIELDS,
        "code": "order number as typed; emptied within minutes",
        "digest": "keyed digest of the address typed; emptied within minutes",
        "order": "the order, once number and address were found to belong together",
        "leads_to": "which page the link opens",
        "locale": "the language of the page, shared by millions",
    }

    class Meta:
        verbose_name = _("order look-up")
        verbose_name_plural = _("order look-ups")

    def __str__(self) -> str:
        return f"look-up {self.pk}"

    def perform(self) -> None:
        from orders.guests.actions import answer_lookup

        answer_lookup(lookup=self)


class LinkQuerySet(models.QuerySet["GuestLink"]):
    def usable(self) -> LinkQuerySet:
        known = self.filter(order__is_guest=True, order__subject__isnull=False, order__subject__erased_at=None)
        return known.filter(used_at=None, expires_at__gt=timezone.now())


class GuestLink(models.Model):
    """A link mailed to somebody without an account. Opens their order once; destroyed a day after it ran out."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order = models.ForeignKey("orders.Order", on_delete=models.CASCADE, related_name="guest_links")
    digest = models.BinaryField(max_length=32)
    leads_to = models.CharField(max_length=10, choices=LeadsTo, default=LeadsTo.ORDER)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    objects = LinkQuerySet.as_manager()

    order_id: UUID

    wall = Wall.through("order").granting(customer="SELECT, UPDATE (used_at)", gate="SELECT", staff="SELECT")
    wall = wall.keeping("digest", to=("customer", "gate"))
    not_personal = {
        "order": "the order that it opens",
        "digest": "SHA-256 of a random value",
        "leads_to": "which page it opens",
        "created_at": "when",
        "expires_at": "when it stops working",
        "used_at": "when it was used",
    }

    class Meta:
        verbose_name = _("guest's link")
        verbose_name_plural = _("guests' links")
        constraints = [UniqueByHash(field="digest", name="one_guest_link_per_digest")]

    def __str__(self) -> str:
        return f"link {self.pk}"
