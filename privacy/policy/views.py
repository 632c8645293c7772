"""Anybody can read the policy in force and every announced version, signed in or not (CHANGE-5)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, get_language_info
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from privacy.policy.errors import NoPolicyInForce
from privacy.policy.models import PolicyText, PolicyVersion
from privacy.policy.queries import policy_in_force, published_versions, text_of
from privacy.policy.tables import keep_rows, purpose_rows

# Private, because the page's header shows whether its reader is signed in; asked for anew each time, because a
# browser must not show a policy that has been replaced.
_cached = cache_control(private=True, no_cache=True)


@require_safe
@_cached
def policy(request: HttpRequest) -> HttpResponse:
    """The version in force."""
    try:
        in_force = policy_in_force()
    except NoPolicyInForce:
        return render(request, "privacy/policy_missing.html", status=503)
    return _show(request, in_force, in_force, published_versions())


@require_safe
@_cached
def policy_version(request: HttpRequest, number: int) -> HttpResponse:
    """One announced version: in force, to come or replaced."""
    versions = published_versions()
    shown = next((version for version in versions if version.number == number), None)
    if shown is None:
        raise Http404
    in_force = next((version for version in versions if version.effective_at <= timezone.now()), None)
    return _show(request, shown, in_force, versions)


# Staff between password and second factor are sent to its page from everywhere; the policy stays readable.
policy.open_to_half_signed_in = True  # type: ignore[attr-defined]
policy_version.open_to_half_signed_in = True  # type: ignore[attr-defined]


def _show(request: HttpRequest, shown: PolicyVersion, in_force: PolicyVersion | None, versions: list[PolicyVersion]) -> HttpResponse:
    text = text_of(shown, get_language() or "")
    return render(request, "privacy/policy.html", {**_state(shown, in_force, versions), **_words(shown, text)})


def _state(shown: PolicyVersion, in_force: PolicyVersion | None, versions: list[PolicyVersion]) -> dict[str, Any]:
    now = timezone.now()
    following = [version for version in versions if version.number == shown.number + 1]
    return {
        "version": shown,
        "in_force": in_force,
        "versions": versions,
        "is_in_force": shown == in_force,
        "is_to_come": shown.effective_at > now,
        "replaced_at": following[0].effective_at if following else None,
        "to_come": [version for version in versions if version.effective_at > now],
    }


def _words(shown: PolicyVersion, text: PolicyText) -> dict[str, Any]:
    return {
        "text": text,
        "text_language": get_language_info(text.locale),
        "purposes": purpose_rows(shown.purposes),
        "keeps": keep_rows(),
        "operator_name": settings.OPERATOR_NAME,
        "operator_address": settings.OPERATOR_ADDRESS,
        "operator_email": settings.OPERATOR_EMAIL,
    }
