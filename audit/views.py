"""Keeps USE-3: everybody can read what the log is, how far it is, and how to check it without us."""

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from audit.checkpoints import newest_checkpoint, verifier_keys
from audit.models import Cosignature
from audit.proofs import VERIFIER


@require_safe
@cache_control(private=True, no_cache=True)
def log_page(request: HttpRequest) -> HttpResponse:
    """What this is, the newest checkpoint, the keys, the verifier, and how to be a witness."""
    newest = newest_checkpoint()
    context = {
        "origin": settings.AUDIT_ORIGIN,
        "newest": newest,
        "witnesses": list(Cosignature.objects.filter(size=newest.size).order_by("witness")) if newest else [],
        "keys": [str(key) for key in verifier_keys()],
    }
    return render(request, "audit/log.html", context)


@require_safe
@cache_control(public=True, max_age=3600)
def verifier(request: HttpRequest) -> FileResponse:
    return FileResponse(VERIFIER.open("rb"), as_attachment=True, filename=VERIFIER.name, content_type="text/x-python; charset=utf-8")


log_page.open_to_half_signed_in = True  # type: ignore[attr-defined]
verifier.open_to_half_signed_in = True  # type: ignore[attr-defined]
