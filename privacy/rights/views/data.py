"""My data: everything held, by category, with why, who and until when (RIGHTS-1, RIGHTS-6, USE-3)."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from privacy.access.gate import open_for_unit
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.retention.queries import goings_of
from privacy.rights.models import Request
from privacy.rights.queries import (
    cards_of,
    copy_waiting,
    open_request,
    opened_cards,
    recipients_of,
    records_page,
)
from privacy.rights.restrictions import restrictions_of
from privacy.rights.uses import lines_of, uses_of
from privacy.rights.views.own import actor_of, own_page, subject_id_of

USES_SHOWN = 5
GOINGS_SHOWN = 12
LINES_A_PAGE = 50


@own_page
@require_GET
def my_data(request: HttpRequest) -> HttpResponse:
    subject_id = subject_id_of(request)
    goings = goings_of(subject_id, GOINGS_SHOWN + 1)
    context = {
        "cards": cards_of(subject_id),
        "goings": goings[:GOINGS_SHOWN],
        "has_more": len(goings) > GOINGS_SHOWN,
        "restrictions": restrictions_of(subject_id),
        "copy": copy_waiting(subject_id),
        "erasure": open_request(subject_id, Request.Kind.ERASURE),
    }
    return render(request, "privacy/my_data.html", context)


@own_page
@require_GET
def time_line(request: HttpRequest) -> HttpResponse:
    """All that goes, and when."""
    page = Paginator(goings_of(subject_id_of(request)), LINES_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "privacy/time_line.html", {"page": page})


@own_page
@require_GET
def category(request: HttpRequest, category: str) -> HttpResponse:
    """One category with its values, opened under the person's own grant; the opening is in the list below."""
    if category not in Category:
        raise Http404
    shown, subject_id = Category(category), subject_id_of(request)
    page = records_page(subject_id, shown, request.GET.get("page", "1"))
    grant = open_for_unit(by=actor_of(request), purpose=Purpose.RIGHTS, subject=subject_id)
    context = {
        "category": shown,
        "page": page,
        "records": opened_cards(page.object_list, shown, grant),
        "recipients": recipients_of(subject_id)[shown],
        "lines": lines_of(subject_id, uses_of(subject_id, shown)[:USES_SHOWN], grant),
    }
    return render(request, "privacy/category.html", context)
