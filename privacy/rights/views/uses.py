"""Who used my data: every use and every refused attempt, with its reason and its proof (USE-3, RIGHTS-6)."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.models import Entry
from audit.pages import Stretch, count_up_to, page_of, stretch_of
from privacy.access.gate import open_for_unit
from privacy.access.silences.queries import withheld_from
from privacy.declarations.purposes import Purpose
from privacy.rights.forms import UsesForm
from privacy.rights.proofs import PROOFS_AT_MOST, take_proof, take_proofs, zip_file
from privacy.rights.uses import lines_of, narrowed, uses_of
from privacy.rights.views.own import actor_of, own_page, subject_id_of

A_PAGE = 20
COUNTED_AT_MOST = 1_000
PAGING = ("before", "after")


@own_page
@require_GET
def uses(request: HttpRequest) -> HttpResponse:
    """Filters are in the address and work without scripts; an unknown one is refused, and then nothing is listed."""
    form, subject_id = UsesForm(request.GET), subject_id_of(request)
    is_valid = form.is_valid()
    entries = narrowed(uses_of(subject_id), subject_id=subject_id, **form.narrows) if is_valid else Entry.objects.none()
    places = {name: form.cleaned_data.get(name, "") for name in PAGING}
    page = page_of(entries, size=A_PAGE, **places)
    number = count_up_to(entries, COUNTED_AT_MOST)
    context = {
        "form": form,
        "page": page,
        "number": min(number, COUNTED_AT_MOST),
        "has_more": number > COUNTED_AT_MOST,
        "lines": lines_of(subject_id, page.entries, open_for_unit(by=actor_of(request), purpose=Purpose.RIGHTS, subject=subject_id)),
        "withheld": withheld_from(subject_id),
        "is_narrowed": any(value for name, value in form.cleaned_data.items() if name not in PAGING),
        "keep": _without_place(request),
        "before": places["before"],
        "proofs_at_most": PROOFS_AT_MOST,
        "proofs_end": stretch_of(entries, PROOFS_AT_MOST, places["before"]).end,
    }
    return render(request, "privacy/uses.html", context, status=200 if is_valid else 422)


@own_page
@require_GET
def proof(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """The proof of one entry; another person's, and one that is withheld, is not found."""
    data = take_proof(by=actor_of(request), subject_id=subject_id_of(request), entry_id=entry_id)
    if data is None:
        raise Http404
    return zip_file(data, f"{entry_id}.zip")


@own_page
@require_GET
def proofs(request: HttpRequest) -> HttpResponse:
    """The proofs of the list as it is filtered, from the newest on, or from the place of a page on."""
    form, subject_id = UsesForm(request.GET), subject_id_of(request)
    if not form.is_valid():
        raise Http404
    entries = Stretch(form.cleaned_data["before"]).of(narrowed(uses_of(subject_id), subject_id=subject_id, **form.narrows))
    return zip_file(take_proofs(by=actor_of(request), subject_id=subject_id, entries=entries), "proofs.zip")


def _without_place(request: HttpRequest) -> str:
    """The filters as they stand in the address, for the links to other pages."""
    chosen = request.GET.copy()
    for name in PAGING:
        chosen.pop(name, None)
    return f"{chosen.urlencode()}&" if chosen else ""
