from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.parcels.actions import receive_parcel_webhook
from orders.parcels.operations import RECIPIENT, SHIPPER
from orders.webhooks import answer_webhook


@csrf_exempt
@require_POST
def parcel_webhook(request: HttpRequest) -> HttpResponse:
    return answer_webhook(request, RECIPIENT, _receive)


def _receive(message: dict[str, Any]) -> str:
    return receive_parcel_webhook(
        by=SHIPPER, event_id=str(UUID(message["id"])), kind=message["type"], parcel_id=UUID(message["parcel"])
    )
