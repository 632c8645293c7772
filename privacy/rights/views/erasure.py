"""Delete my data: the plan first, then once the question, at the end a receipt (RIGHTS-3, RIGHTS-8)."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import formats, timezone
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from privacy.access.places import behind_wall_of, elsewhere
from privacy.declarations.categories import Category
from privacy.retention.walker import Holding, categories_of
from privacy.rights.actions import request_erasure
from privacy.rights.erasure import plan_erasure
from privacy.rights.errors import AlreadyRequested
from privacy.rights.models import Request
from privacy.rights.queries import labels_of, open_request, person_of_receipt, request_by_receipt_token
from privacy.rights.receipts import receipt_lines
from privacy.rights.tables import kept_words
from privacy.rights.views.own import actor_of, own_page, password_confirmed, password_form, subject_id_of, subject_of
from privacy.wall.context import Place


@own_page
@require_http_methods(["GET", "POST"])
def erase(request: HttpRequest) -> HttpResponse:
    subject_id = subject_id_of(request)
    existing = open_request(subject_id, Request.Kind.ERASURE)
    if existing is not None:
        return redirect(existing)
    form = password_form(request)
    status = password_confirmed(request, form) if request.method == "POST" else 0
    if status == 200:
        try:
            return redirect(request_erasure(by=actor_of(request), subject=subject_of(request)))
        except AlreadyRequested as error:
            return redirect(error.request)
    plan = plan_erasure(subject_id)
    now = timezone.now()
    context = {
        "form": form,
        "goes": [_goes(holding) for holding in plan.goes],
        "stays": [_stays(holding) for holding in plan.stays] + _always_stays(),
        "blockers": plan.blockers,
        "wait": timeuntil(now + settings.ERASURE_COOLING_OFF, now),
    }
    return render(request, "privacy/erase.html", context, status=status or 200)


def _behind_receipt(request: HttpRequest, token: str) -> Place:
    return behind_wall_of(person_of_receipt(token))


@elsewhere("a mailed link shows what became of its person", _behind_receipt)
@never_cache
@require_GET
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """For whoever has the mailed link: there is no account to sign in to any more."""
    asked = request_by_receipt_token(token)
    if asked is None:
        raise Http404
    issued = getattr(asked, "receipt", None)
    context = {"asked": asked, "receipt": issued, "job": getattr(asked, "erasure", None)}
    response = render(request, "privacy/receipt.html", context | (receipt_lines(issued) if issued else {}))
    response["Referrer-Policy"] = "no-referrer"
    return response


receipt.open_to_half_signed_in = True  # type: ignore[attr-defined]


def _goes(holding: Holding) -> dict[str, str]:
    return {"what": f"{holding.records} × {holding.model._meta.verbose_name}", "why": _kinds(holding)}


def _stays(holding: Holding) -> dict[str, object]:
    last = holding.last_leaving
    until = _("All of it goes by %(day)s.") % {"day": formats.date_format(last, "DATE_FORMAT")} if last and not holding.waiting else ""
    return {
        "what": f"{holding.records} × {holding.model._meta.verbose_name}",
        "why": str(kept_words(holding.model)),
        "until": until,
    }


def _always_stays() -> list[dict[str, object]]:
    return [
        {
            "what": _("What was bought, prices and dates"),
            "why": _("They stay in our books without you: nothing in them says whose they were."),
        },
        {
            "what": _("That we did what we promised"),
            "why": _("Our log and your permissions stay under a random number. Once the keys are gone, it leads to nobody."),
        },
    ]


def _kinds(holding: Holding) -> str:
    kinds: list[Category] = categories_of(holding.model)
    return "; ".join(labels_of(holding.model, category) for category in kinds)
