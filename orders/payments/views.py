from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.payments.operations import CASHIER, RECIPIENT
from orders.payments.results import receive_payment_webhook
from orders.webhooks import Message, answer_webhook
from privacy.access.places import as_staff


@as_staff("a partner's signed message moves somebody's order")
@csrf_exempt
@require_POST
def payment_webhook(request: HttpRequest) -> HttpResponse:
    return answer_webhook(request, partner=RECIPIENT, about="key", receive=_receive)


def _receive(message: Message) -> str:
    return receive_payment_webhook(by=CASHIER, event_id=str(message.id), kind=message.kind, key=message.about)
