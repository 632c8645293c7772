from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.payments.operations import CASHIER, RECIPIENT
from orders.payments.results import receive_payment_webhook
from orders.webhooks import answer_webhook


@csrf_exempt
@require_POST
def payment_webhook(request: HttpRequest) -> HttpResponse:
    return answer_webhook(request, RECIPIENT, _receive)


def _receive(message: dict[str, Any]) -> str:
    return receive_payment_webhook(
        by=CASHIER, event_id=str(UUID(message["id"])), kind=message["type"], key=UUID(message["key"])
    )
