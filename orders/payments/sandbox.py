"""The payment provider's sandbox, over HTTP."""

from __future__ import annotations

from typing import Any

import requests
from django.conf import settings

from orders.payments.gateway import Answer, GatewayTimeout, GatewayUnreachable


class SandboxGateway:
    def authorize(self, *, key: str, payment: str, amount: int, currency: str, method: str, payer: str) -> Answer:
        return self._ask("authorize", key, payment=payment, amount=amount, currency=currency, method=method, payer=payer)

    def capture(self, *, key: str, payment: str, amount: int, currency: str) -> Answer:
        return self._ask("capture", key, payment=payment, amount=amount, currency=currency)

    def void(self, *, key: str, payment: str, amount: int, currency: str) -> Answer:
        return self._ask("void", key, payment=payment, amount=amount, currency=currency)

    def refund(self, *, key: str, payment: str, amount: int, currency: str) -> Answer:
        return self._ask("refund", key, payment=payment, amount=amount, currency=currency)

    def find(self, *, key: str) -> Answer | None:
        response = self._call("GET", f"/payments/operations/{key}")
        return None if response.status_code == 404 else self._answer(response)

    def _ask(self, kind: str, key: str, **values: Any) -> Answer:
        headers = {"Idempotency-Key": key}
        return self._answer(self._call("POST", "/payments/operations", json={"kind": kind, **values}, headers=headers))

    def _call(self, verb: str, path: str, **how: Any) -> requests.Response:
        try:
            return requests.request(
                verb, settings.SANDBOX_URL + path, timeout=settings.ORDERS_OUTSIDE_TIMEOUT, allow_redirects=False, **how
            )
        except requests.Timeout:
            raise GatewayTimeout from None
        except requests.RequestException:
            # Without the cause: its text may carry the body that was sent.
            raise GatewayUnreachable from None

    def _answer(self, response: requests.Response) -> Answer:
        if response.status_code not in (200, 202):
            raise GatewayUnreachable(str(response.status_code))
        told = response.json()
        return Answer(state=told["state"], label=told.get("label", ""))
