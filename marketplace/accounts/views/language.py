"""The language of the pages, chosen in the footer; of the mails too, for whoever is signed in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from marketplace.accounts.actions import change_locale
from marketplace.accounts.forms import LanguageForm
from marketplace.accounts.language import speak
from marketplace.accounts.middleware import open_to_half_signed_in
from marketplace.accounts.models import User
from marketplace.accounts.returning import way_back
from privacy.access.places import at_the_gate


@at_the_gate("the language stands with the account, and auditors have one too")
@open_to_half_signed_in
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Back to the page, in the language chosen; what is no language of ours changes nothing."""
    response = redirect(way_back(request) or "orders:front")
    form = LanguageForm(request.POST)
    if not form.is_valid():
        return response
    locale = form.cleaned_data["locale"]
    actor, user = request.actor, request.user  # type: ignore[attr-defined]
    if isinstance(user, User) and actor.is_subject(user.subject_id) and user.locale != locale:
        change_locale(by=actor, user=user, locale=locale)
    return speak(response, locale)
