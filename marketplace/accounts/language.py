"""The language cookie: pages speak the language that the account has chosen."""

from django.conf import settings
from django.http import HttpResponse


def speak(response: HttpResponse, locale: str) -> HttpResponse:
    """Have the browser ask for ``locale`` from now on."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        locale,
        max_age=settings.SESSION_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
    return response
