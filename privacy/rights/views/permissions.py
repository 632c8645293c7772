"""Permissions: each purpose with its state and words, given and withdrawn with equal ease (RIGHTS-4)."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from privacy.consent.actions import give_consent, withdraw_consent
from privacy.consent.queries import Permission, history_of, permissions_in_force
from privacy.consent.statements import statement_text
from privacy.rights.consequences import STOPS
from privacy.rights.forms import ButtonForm, GiveForm
from privacy.rights.views.own import actor_of, own_page, subject_id_of, subject_of

DECISIONS_A_PAGE = 20


@own_page
@require_GET
def permissions(request: HttpRequest) -> HttpResponse:
    return _page(request)


@own_page
@require_GET
def permission(request: HttpRequest, purpose: str) -> HttpResponse:
    """Every decision on one purpose with the exact words that were shown, newest first."""
    shown = _own_permission(request, purpose)
    page = Paginator(history_of(subject_id_of(request), shown.purpose), DECISIONS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "privacy/permission.html", _line(shown) | {"page": page})


@own_page
@require_POST
def give(request: HttpRequest, purpose: str) -> HttpResponse:
    """A yes counts only for the words that the page showed; others are shown again."""
    permission = _own_permission(request, purpose)
    locale = get_language() or "en"
    form = GiveForm(permission.purpose, locale, request.POST)
    if not form.is_valid():
        return _page(request, form)
    give_consent(by=actor_of(request), subject=subject_of(request), purpose=permission.purpose, locale=locale)
    messages.success(request, _("Permission given: %(purpose)s.") % {"purpose": permission.purpose.label})
    return redirect("privacy:permissions")


@own_page
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, purpose: str) -> HttpResponse:
    """Optional purposes end with one click; for essential ones the page first says what stops."""
    permission = _own_permission(request, purpose)
    form = ButtonForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "privacy/withdraw.html", _line(permission) | {"form": form}, status=422 if form.errors else 200)
    withdraw_consent(by=actor_of(request), subject=subject_of(request), purpose=permission.purpose, locale=get_language() or "en")
    messages.success(request, _("Permission withdrawn: %(purpose)s.") % {"purpose": permission.purpose.label})
    return redirect("privacy:permissions")


def _page(request: HttpRequest, form: GiveForm | None = None) -> HttpResponse:
    """All permissions; with a form that was refused, what was wrong with it."""
    lines = [_line(permission) for permission in permissions_in_force(subject_id_of(request))]
    return render(request, "privacy/permissions.html", {"lines": lines, "form": form}, status=422 if form else 200)


def _own_permission(request: HttpRequest, purpose: str) -> Permission:
    found = next((permission for permission in permissions_in_force(subject_id_of(request)) if permission.purpose == purpose), None)
    if found is None:
        raise Http404
    return found


def _line(permission: Permission) -> dict[str, object]:
    purpose, locale = permission.purpose, get_language() or "en"
    return {
        "permission": permission,
        "stops": STOPS[purpose],
        "words": permission.entry.statement.text if permission.is_given and permission.entry else statement_text(purpose, locale),
        "give": None if permission.is_given else GiveForm(purpose, locale),
    }
