"""Mailed links to an order: 256 random bits in the mail, their SHA-256 in the table, usable once and not for long."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from orders.guests.models import GuestLink, LeadsTo
from orders.lifecycle.models import Order

ASKED_FOR_LASTS = timedelta(minutes=15)
CONFIRMATION_LASTS = timedelta(days=3)
KEPT = timedelta(days=1)


def link_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def issue_link(order: Order, lasts: timedelta, leads_to: str = LeadsTo.ORDER) -> str:
    """The address of a new link to a guest's order; earlier ones keep working until one of them is used."""
    token = secrets.token_urlsafe(32)
    GuestLink.objects.create(order=order, digest=link_digest(token), leads_to=leads_to, expires_at=timezone.now() + lasts)
    return settings.SITE_URL + reverse("orders:guest", args=[token])


def link_of(order: Order) -> str:
    """Where a mail about the order leads that must not open it by itself: its page, or for a guest the look-up."""
    page = reverse("orders:lookup") + f"?code={order.code}" if order.is_guest else order.get_absolute_url()
    return settings.SITE_URL + page


def usable_link(token: str) -> GuestLink | None:
    return GuestLink.objects.usable().filter(digest=link_digest(token)).select_related("order").first()


def person_of_link(token: str) -> UUID | None:
    """Whose order a usable link names; asked at the gate, which knows no more of it."""
    return GuestLink.objects.usable().filter(digest=link_digest(token)).values_list("order__subject_id", flat=True).first()


def forget_old_links() -> int:
    """Delete links a day after they ran out; returns how many."""
    with transaction.atomic():
        old = GuestLink.objects.filter(expires_at__lt=timezone.now() - KEPT)
        keys = list(old.values_list("pk", flat=True)[:5000])
        deleted, _ = GuestLink.objects.filter(pk__in=keys).delete()
    return deleted
