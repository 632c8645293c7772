"""Who used my data: every use and every refused attempt, with its reason (USE-3, RIGHTS-6)."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from audit.models import Entry
from privacy.access.gate import open_for_unit
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.rights.forms import UsesForm
from privacy.rights.uses import lines_of, narrowed, uses_of
from privacy.rights.views.own import actor_of, own_page, subject_id_of

A_PAGE = 25


@own_page
@require_GET
def uses(request: HttpRequest) -> HttpResponse:
    """Filters are in the address and work without scripts; an unknown one is refused, and then nothing is listed."""
    form = UsesForm(request.GET)
    is_valid = form.is_valid()
    subject_id = subject_id_of(request)
    entries = narrowed(uses_of(subject_id), subject_id=subject_id, **_filters(form)) if is_valid else Entry.objects.none()
    page = Paginator(entries, A_PAGE).get_page(request.GET.get("page"))
    grant = open_for_unit(by=actor_of(request), purpose=Purpose.RIGHTS, subject=subject_id)
    context = {
        "form": form,
        "page": page,
        "lines": lines_of(subject_id, page.object_list, grant),
        "is_narrowed": any(form.cleaned_data.values()),
        "keep": _without_page(request),
    }
    return render(request, "privacy/uses.html", context, status=200 if is_valid else 422)


def _filters(form: UsesForm) -> dict[str, Any]:
    chosen = form.cleaned_data
    period = UsesForm.PERIODS.get(chosen["since"])
    return {
        "who": chosen["who"],
        "category": Category(chosen["category"]) if chosen["category"] else None,
        "since": timezone.now() - period if period else None,
        "refused_only": chosen["refused"],
    }


def _without_page(request: HttpRequest) -> str:
    """The filters as they stand in the address, for the links to other pages."""
    chosen = request.GET.copy()
    chosen.pop("page", None)
    return f"{chosen.urlencode()}&" if chosen else ""
