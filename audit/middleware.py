"""Keeps USE-3: all entries of one web request carry the same random id, so that they can be read together."""

from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from audit.record import request_id
from audit.security_log import current_request


class RequestIdMiddleware:
    """Gives each request a new id. One sent by the client is not believed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        id_token, request_token = request_id.set(uuid4()), current_request.set(request)
        try:
            return self.get_response(request)
        finally:
            request_id.reset(id_token)
            current_request.reset(request_token)
