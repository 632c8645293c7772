"""Who has my data: what each recipient received and under which agreement, and what needs a yes (USE-4, USE-6, RIGHTS-6)."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.record import Reference
from privacy.declarations.purposes import Purpose
from privacy.rights.cases import Case, cases_in_words
from privacy.rights.forms import ApprovalForm
from privacy.rights.views.own import actor_of, own_page, subject_id_of, subject_of
from privacy.sharing.actions import decide_approval
from privacy.sharing.models import Disclosure, Recipient
from privacy.sharing.queries import Approvable, approvable_of, approvables_of, disclosures_about, holders_about, words_of_fields

RECIPIENTS_A_PAGE = 20
TIMES_A_PAGE = 25


@own_page
@require_GET
def recipients(request: HttpRequest) -> HttpResponse:
    return _page(request)


@own_page
@require_GET
def recipient(request: HttpRequest, slug: str) -> HttpResponse:
    """Each time something went to one recipient; one that received nothing of this person is not found."""
    subject_id = subject_id_of(request)
    found = Recipient.objects.filter(slug=slug).first()
    holders = holders_about(subject_id, found) if found else []
    if not holders:
        raise Http404
    page = Paginator(disclosures_about(subject_id).filter(recipient=found).select_related("agreement"), TIMES_A_PAGE)
    shown = page.get_page(request.GET.get("page"))
    cases = cases_in_words(subject_id, [(each.case_label, each.case_id) for each in shown.object_list])
    lines = [_line(disclosure, cases) for disclosure in shown.object_list]
    return render(request, "privacy/recipient.html", {"holder": holders[0], "page": shown, "lines": lines})


@own_page
@require_POST
def approve(request: HttpRequest, slug: str) -> HttpResponse:
    """A yes or no with one click each; what was not asked is not found."""
    form = ApprovalForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    asked = _approvable(request, slug, form.cleaned_data["purpose"])
    is_given = form.cleaned_data["decision"] == ApprovalForm.GIVE
    if is_given != asked.is_given:
        how = {"recipient": asked.recipient, "purpose": asked.purpose, "is_given": is_given}
        decide_approval(by=actor_of(request), subject=subject_of(request), **how)
    words = {"recipient": asked.recipient.name, "purpose": asked.purpose.label}
    if is_given:
        messages.success(request, _("Approved: %(recipient)s, %(purpose)s.") % words)
    else:
        messages.success(request, _("Taken back: %(recipient)s, %(purpose)s.") % words)
    return redirect("privacy:recipients")


def _page(request: HttpRequest, form: ApprovalForm | None = None) -> HttpResponse:
    subject_id = subject_id_of(request)
    page = Paginator(holders_about(subject_id), RECIPIENTS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "approvables": approvables_of(subject_id), "form": form}
    return render(request, "privacy/recipients.html", context, status=422 if form else 200)


def _approvable(request: HttpRequest, slug: str, purpose: Purpose) -> Approvable:
    found = approvable_of(subject_id_of(request), slug, purpose)
    if found is None:
        raise Http404
    return found


def _line(disclosure: Disclosure, cases: dict[Reference, Case]) -> dict[str, object]:
    case = Reference(disclosure.case_label, disclosure.case_id) if disclosure.case_id else None
    return {
        "at": disclosure.at,
        "purpose": Purpose(disclosure.purpose).label,
        "fields": words_of_fields(disclosure.fields),
        "agreement": disclosure.agreement,
        "case": cases.get(case) if case else None,
    }
