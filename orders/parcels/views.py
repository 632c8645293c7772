from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.parcels.actions import receive_parcel_webhook
from orders.parcels.models import CARRIER
from orders.parcels.operations import SHIPPER
from orders.webhooks import Message, answer_webhook
from privacy.access.places import as_staff


@as_staff("a partner's signed message moves somebody's order")
@csrf_exempt
@require_POST
def parcel_webhook(request: HttpRequest) -> HttpResponse:
    return answer_webhook(request, partner=CARRIER, about="parcel", receive=_receive)


def _receive(message: Message) -> str:
    return receive_parcel_webhook(by=SHIPPER, event_id=str(message.id), kind=message.kind, parcel_id=message.about)
