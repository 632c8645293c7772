"""Who runs the shop, its terms, and where to report a weakness: for anybody, signed in or not (CHANGE-5, PROTECT-5)."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from privacy.policy.operator import blocks_of, operator

SECURITY_TXT_LASTS = timedelta(days=90)


@require_safe
def imprint(request: HttpRequest) -> HttpResponse:
    """Who runs the shop (the provider's identification that e-commerce law asks for)."""
    now = operator()
    return render(request, "privacy/imprint.html", {"operator": now, "blocks": blocks_of(now.imprint_text)})


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """The terms of sale as the operator wrote them."""
    now = operator()
    return render(request, "privacy/terms.html", {"operator": now, "blocks": blocks_of(now.terms_text)})


@require_safe
def security_contact(request: HttpRequest) -> HttpResponse:
    """Where and how to report a weakness."""
    return render(request, "privacy/security_contact.html")


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """The same for programs (RFC 9116); not found where nobody has entered an address."""
    address = operator().security_email
    if not address:
        raise Http404
    # Whole days, so that a file fetched twice a day says the same; far below the year that the RFC allows.
    expires = (timezone.now() + SECURITY_TXT_LASTS).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = {
        "Contact": f"mailto:{address}",
        "Expires": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Preferred-Languages": ", ".join(language for language, _name in settings.LANGUAGES),
        "Canonical": settings.SITE_URL + reverse("privacy:security-txt"),
        "Policy": settings.SITE_URL + reverse("privacy:security-contact"),
    }
    body = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return HttpResponse(body, content_type="text/plain; charset=utf-8")


for _page in (imprint, terms, security_contact, security_txt):
    _page.open_to_half_signed_in = True  # type: ignore[attr-defined]
