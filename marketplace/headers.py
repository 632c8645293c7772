"""Request and response headers that Django has no setting for."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

UNUSED_FEATURES = ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "microphone", "payment", "usb")
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in (*UNUSED_FEATURES, "browsing-topics"))


class PermissionsPolicyMiddleware:
    """Tells the browser that no page uses a camera, a position or the like, nor lets anybody profile its visitors."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class ForwardedAddressMiddleware:
    """Behind our own proxy, tries are counted by who asked it, not by the proxy, which asks for everybody.

    The header is believed from PROXY_ADDRESSES alone, and only its last entry: whatever stands before that one
    was written by the visitor.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        if forwarded and request.META.get("REMOTE_ADDR") in settings.PROXY_ADDRESSES:
            request.META["REMOTE_ADDR"] = forwarded
        return self.get_response(request)
