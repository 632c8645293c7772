"""The carrier's sandbox, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from django.conf import settings

from orders.parcels.carrier import Booking, CarrierTimeout, CarrierUnreachable


class SandboxCarrier:
    def book(self, *, key: str, parcel: str, address: Mapping[str, str]) -> Booking:
        body = {"parcel": parcel, "address": dict(address)}
        return self._booking(self._call("POST", "/carrier/bookings", json=body, headers={"Idempotency-Key": key}))

    def collect(self, *, key: str, parcel: str) -> None:
        self._call("POST", "/carrier/collections", json={"parcel": parcel}, headers={"Idempotency-Key": key})

    def cancel_booking(self, *, key: str, parcel: str) -> None:
        self._call("POST", "/carrier/cancellations", missing=True, json={"parcel": parcel}, headers={"Idempotency-Key": key})

    def find(self, *, key: str) -> Booking | None:
        response = self._call("GET", f"/carrier/bookings/{key}", missing=True)
        return None if response.status_code == 404 else self._booking(response)

    def _call(self, verb: str, path: str, *, missing: bool = False, **how: Any) -> requests.Response:
        try:
            response = requests.request(
                verb, settings.SANDBOX_URL + path, timeout=settings.ORDERS_OUTSIDE_TIMEOUT, allow_redirects=False, **how
            )
        except requests.Timeout:
            raise CarrierTimeout from None
        except requests.RequestException:
            # Without the cause: its text may carry the address that was sent.
            raise CarrierUnreachable from None
        if response.status_code not in (200, 201, 202) and not (missing and response.status_code == 404):
            raise CarrierUnreachable(str(response.status_code))
        return response

    def _booking(self, response: requests.Response) -> Booking:
        told = response.json()
        return Booking(tracking_number=told["tracking_number"], label_reference=told["label_reference"])
