"""The demo's payment provider and carrier, with what they signed; the sandbox plays both."""

from __future__ import annotations

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.utils import timezone

from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.sharing.actions import register_recipient, sign_agreement
from privacy.sharing.models import Recipient

PARTNERS = (
    (
        "payments",
        "Sandbox Payments",
        Recipient.Kind.PAYMENT,
        "IE",
        [Purpose.PAYMENT, Purpose.RETURNS],
        [Category.FINANCIAL, Category.PURCHASE],
    ),
    (
        "carrier",
        "Sandbox Parcels",
        Recipient.Kind.CARRIER,
        "DE",
        [Purpose.DISPATCH, Purpose.RETURNS],
        [Category.DELIVERY, Category.PURCHASE],
    ),
)


def register_demo_partners(*, by: Actor) -> int:
    """Register the partners that are missing, each with an agreement for four years; returns how many."""
    present = set(Recipient.objects.values_list("slug", flat=True))
    missing = [partner for partner in PARTNERS if partner[0] not in present]
    today = timezone.now().date()
    for slug, name, kind, country, purposes, categories in missing:
        secret = settings.SANDBOX_WEBHOOK_SECRET
        recipient = register_recipient(by=by, slug=slug, name=name, kind=kind, country=country, webhook_secret=secret)
        sign_agreement(
            by=by,
            recipient=recipient,
            reference=f"DEMO-{slug.upper()}",
            purposes=purposes,
            categories=categories,
            signed_on=today,
            starts_on=today,
            ends_on=today + relativedelta(years=4),
        )
    return len(missing)
