"""Freeze data, object to a use, and take either back (RIGHTS-4, RIGHTS-6)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from privacy.declarations.categories import Category
from privacy.rights.consequences import STOPS
from privacy.rights.erasure import blockers_of
from privacy.rights.errors import AlreadyRequested, TooLate
from privacy.rights.forms import ButtonForm, FreezeForm, ObjectionForm
from privacy.rights.restrictions import (
    freeze_data,
    freeze_of,
    lift_restriction,
    object_to_use,
    objectionable_purposes,
    purposes_stopped_by,
    restrictions_of,
)
from privacy.rights.views.own import actor_of, own_page, own_request, subject_id_of, subject_of


@own_page
@require_http_methods(["GET", "POST"])
def freeze(request: HttpRequest) -> HttpResponse:
    """Shows what stops before it is asked, and asks once."""
    held = freeze_of(subject_id_of(request))
    if held is not None:
        return redirect(held.request)
    form = FreezeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return redirect(freeze_data(by=actor_of(request), subject=subject_of(request), categories=form.cleaned_data["categories"]))
        except AlreadyRequested as error:
            return redirect(error.request)
    chosen = set(form["categories"].value() or [])
    context = {
        "form": form,
        "choices": [_frozen_choice(category, category.value in chosen) for category in Category],
        "open_matters": blockers_of(subject_id_of(request)),
    }
    return render(request, "privacy/freeze.html", context, status=422 if form.errors else 200)


@own_page
@require_http_methods(["GET", "POST"])
def object_to(request: HttpRequest) -> HttpResponse:
    """One use at a time; those objected to already lead to their request."""
    objected = {each.purpose: each for each in restrictions_of(subject_id_of(request)) if each.purpose}
    purposes = [purpose for purpose in objectionable_purposes() if purpose not in objected]
    form = ObjectionForm(purposes, request.POST if request.method == "POST" else None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            made = object_to_use(by=actor_of(request), subject=subject_of(request), purpose=given["purpose"], reason=given["reason"])
        except AlreadyRequested as error:
            made = error.request
        return redirect(made)
    chosen = form["purpose"].value()
    context = {
        "form": form,
        "choices": [{"purpose": purpose, "stops": STOPS[purpose], "is_chosen": purpose.value == chosen} for purpose in purposes],
        "objected": objected.values(),
    }
    return render(request, "privacy/object.html", context, status=422 if form.errors else 200)


@own_page
@require_POST
def lift(request: HttpRequest, request_id: UUID) -> HttpResponse:
    asked = own_request(request, request_id)
    form = ButtonForm(request.POST)
    if form.is_valid():
        try:
            lift_restriction(by=actor_of(request), request=asked)
        except TooLate:
            messages.warning(request, _("This has ended already."))
        else:
            messages.success(request, _("Lifted. We use this data again as your permissions say."))
    else:
        messages.error(request, str(form.non_field_errors()[0]))
    return redirect(asked)


def _frozen_choice(category: Category, is_chosen: bool) -> dict[str, object]:
    stops = [STOPS[purpose] for purpose in purposes_stopped_by([category])]
    return {"category": category, "stops": stops, "is_chosen": is_chosen}
