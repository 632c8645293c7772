"""Correct my data: at once where that is safe, else by a proposal that somebody decides (RIGHTS-2, RIGHTS-6)."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from privacy.access.gate import Grant, open_for_unit
from privacy.declarations.purposes import Purpose
from privacy.rights.correctable import decided_fields, own_record
from privacy.rights.corrections import propose_correction
from privacy.rights.errors import AlreadyRequested
from privacy.rights.forms import CorrectionForm
from privacy.rights.models import Request
from privacy.rights.queries import correctable_page, open_request
from privacy.rights.views.own import actor_of, own_page, subject_id_of
from privacy.vault.records import PersonalRecord


@own_page
@require_GET
def correct(request: HttpRequest) -> HttpResponse:
    """Where each kind of data is corrected; opens nothing."""
    page = correctable_page(subject_id_of(request), request.GET.get("page", "1"))
    return render(request, "privacy/correct.html", {"page": page})


@own_page
@require_http_methods(["GET", "POST"])
def correct_record(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """One record as it is now, and what one of its fields should be."""
    record = own_record(subject_id_of(request), record_id)
    if record is None:
        raise Http404
    existing = open_request(record.subject_id, Request.Kind.CORRECTION, str(record.pk))
    if existing is not None:
        return redirect(existing)
    grant = open_for_unit(by=actor_of(request), purpose=Purpose.RIGHTS, subject=record.subject_id)
    form = CorrectionForm(_choices(record, grant), request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return redirect(propose_correction(by=actor_of(request), record=record, **form.cleaned_data))
        except AlreadyRequested as error:
            return redirect(error.request)
        except ValidationError as error:
            form.add_error("value", error)
    return render(request, "privacy/correct_record.html", {"record": record, "form": form}, status=422 if form.errors else 200)


def _choices(record: PersonalRecord, grant: Grant) -> list[tuple[str, str]]:
    """Each field with its value as it is now, opened under the person's own grant."""
    grant.load([record])
    return [(field.name, _choice(str(field.verbose_name), grant.show(getattr(record, field.name)))) for field in decided_fields(record)]


def _choice(label: str, value: str) -> str:
    return _("%(field)s: %(value)s") % {"field": capfirst(label), "value": value or _("(empty)")}
