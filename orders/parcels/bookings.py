"""A carrier that was told of a parcel is told as well when it will not come."""

from __future__ import annotations

from orders.parcels.models import Parcel, ParcelOperation

Kind, Outcome = ParcelOperation.Kind, ParcelOperation.Outcome


def call_back_booking(parcel: Parcel) -> None:
    """Ask the carrier to forget a canceled parcel; nothing happens for one that it was never asked about."""
    operations = ParcelOperation.objects.filter(parcel=parcel)
    was_asked = operations.filter(kind=Kind.BOOK, asked_at__isnull=False).exists()
    if was_asked and not operations.filter(kind=Kind.CALL_BACK).exclude(outcome=Outcome.REFUSED).exists():
        ParcelOperation(parcel=parcel, kind=Kind.CALL_BACK).enqueue()
