"""Requests: what was asked, how far it is, and the copy to download (RIGHTS-1, RIGHTS-7)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from privacy.access.gate import open_for_unit
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.rights.actions import cancel_erasure, request_copy
from privacy.rights.copies import KEPT, download_copy
from privacy.rights.correctable import about_words
from privacy.rights.erasure import blockers_of
from privacy.rights.errors import AlreadyRequested, CopyGone, CopyNotReady, TooLate
from privacy.rights.forms import ButtonForm
from privacy.rights.models import Request
from privacy.rights.queries import copy_waiting, detail_of, open_request, requests_of
from privacy.rights.views.own import actor_of, own_page, own_request, password_confirmed, password_form, subject_id_of, subject_of

FILE_NAME = "my-data.zip"


@own_page
@require_GET
def requests(request: HttpRequest) -> HttpResponse:
    page = Paginator(requests_of(subject_id_of(request)), 20).get_page(request.GET.get("page"))
    return render(request, "privacy/requests.html", {"page": page})


@own_page
@require_http_methods(["GET", "POST"])
def get_a_copy(request: HttpRequest) -> HttpResponse:
    form = ButtonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = request_copy(by=actor_of(request), subject=subject_of(request))
        except AlreadyRequested as error:
            made = error.request
        return redirect(made)
    subject_id = subject_id_of(request)
    context = {
        "open": open_request(subject_id, Request.Kind.EXPORT),
        "copy": copy_waiting(subject_id),
        "days": KEPT.days,
        "form": form,
    }
    return render(request, "privacy/get_a_copy.html", context, status=422 if form.errors else 200)


@own_page
@require_GET
def show(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One request; its page survives a reload, because all it shows stands in rows."""
    asked = own_request(request, request_id)
    return render(request, "privacy/request.html", _context(asked) | _words(request, asked))


@own_page
@require_GET
def progress(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The part of the page that htmx asks for again; when the work has ended, it has the page loaded anew."""
    asked = own_request(request, request_id)
    response = render(request, "privacy/request_progress.html", _context(asked))
    if asked.state not in (Request.State.MADE, Request.State.RUNNING):
        response["HX-Refresh"] = "true"
    return response


@own_page
@require_http_methods(["GET", "POST"])
def download(request: HttpRequest, request_id: UUID) -> HttpResponseBase:
    """Asks for the password, then hands out the copy; nothing in its headers says whose it is."""
    asked = own_request(request, request_id, Request.Kind.EXPORT)
    form = password_form(request)
    status = password_confirmed(request, form) if request.method == "POST" else 0
    if status == 200:
        try:
            chunks, size = download_copy(by=actor_of(request), request=asked)
        except (CopyNotReady, CopyGone):
            return redirect(asked)
        return StreamingHttpResponse(
            chunks,
            content_type="application/zip",
            headers={"Content-Length": str(size), "Content-Disposition": f'attachment; filename="{FILE_NAME}"'},
        )
    if not asked.export.can_be_downloaded:
        return redirect(asked)
    return render(request, "privacy/download.html", {"asked": asked, "form": form}, status=status or 200)


@own_page
@require_POST
def cancel(request: HttpRequest, request_id: UUID) -> HttpResponse:
    asked = own_request(request, request_id, Request.Kind.ERASURE)
    form = ButtonForm(request.POST)
    if not form.is_valid():
        return render(request, "privacy/request.html", _context(asked) | {"form": form}, status=422)
    try:
        cancel_erasure(by=actor_of(request), request=asked)
    except TooLate:
        messages.warning(request, _("It has begun or ended already, so it cannot be canceled."))
    else:
        messages.success(request, _("Canceled. Nothing was deleted."))
    return redirect(asked)


def _words(request: HttpRequest, asked: Request) -> dict[str, object]:
    """What the person wrote and what we answered, opened under their own grant."""
    detail = detail_of(asked)
    if detail is None:
        return {"about": about_words(asked)}
    grant = open_for_unit(by=actor_of(request), purpose=Purpose.RIGHTS, subject=asked.subject_id)
    grant.load([detail])
    return {"detail": detail, "grant": grant, "about": about_words(asked, detail)}


def _context(asked: Request) -> dict[str, object]:
    waiting = asked.state == Request.State.WAITING
    restriction = getattr(asked, "restriction", None)
    return {
        "asked": asked,
        "restriction": restriction,
        "frozen": [Category(name).label for name in restriction.categories] if restriction else [],
        "job": asked.work,
        "blockers": blockers_of(asked.subject_id) if waiting else [],
        "progress_url": reverse("privacy:request-progress", args=[asked.pk]),
    }
