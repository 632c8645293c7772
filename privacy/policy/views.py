"""Anybody can read every version of the policy, and how each promise is kept, signed in or not (CHANGE-5)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, get_language_info
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from privacy.policy.keeping import number_not_kept, promise_rows, rows_by_group
from privacy.policy.models import PolicyText, PolicyVersion
from privacy.policy.queries import Chapter, Standing, history, text_of
from privacy.policy.tables import keep_rows, purpose_rows

# Private, because the page's header shows whether its reader is signed in; asked for anew each time, because a
# browser must not show a policy that has been replaced.
_cached = cache_control(private=True, no_cache=True)


@require_safe
@_cached
def policy(request: HttpRequest) -> HttpResponse:
    """The version in force."""
    chapters = history()
    shown = next((chapter for chapter in chapters if chapter.standing == Standing.IN_FORCE), None)
    if shown is None:
        return render(request, "privacy/policy_missing.html", status=503)
    return _show(request, shown, chapters)


@require_safe
@_cached
def policy_version(request: HttpRequest, number: int) -> HttpResponse:
    """One published version, however it stands."""
    chapters = history()
    shown = next((chapter for chapter in chapters if chapter.version.number == number), None)
    if shown is None:
        raise Http404
    return _show(request, shown, chapters)


@require_safe
@_cached
def promises(request: HttpRequest) -> HttpResponse:
    """Each promise, how it is kept, and what the running system says of it."""
    rows = promise_rows()
    context = {"groups": rows_by_group(rows), "all": len(rows), "against": number_not_kept(rows), "checked_at": rows[0].checked_at}
    return render(request, "privacy/promises.html", context)


# Staff between password and second factor are sent to its page from everywhere; the policy stays readable.
policy.open_to_half_signed_in = True  # type: ignore[attr-defined]
policy_version.open_to_half_signed_in = True  # type: ignore[attr-defined]
promises.open_to_half_signed_in = True  # type: ignore[attr-defined]


def _show(request: HttpRequest, shown: Chapter, chapters: list[Chapter]) -> HttpResponse:
    text = text_of(shown.version, get_language() or "")
    return render(request, "privacy/policy.html", {**_state(shown, chapters), **_words(shown.version, text)})


def _state(shown: Chapter, chapters: list[Chapter]) -> dict[str, Any]:
    standings = {chapter.standing: chapter.version for chapter in chapters}
    return {
        "version": shown.version,
        "standing": shown.standing,
        "replaced_at": shown.until,
        "chapters": chapters,
        "in_force": standings.get(Standing.IN_FORCE),
        "to_come": standings.get(Standing.TO_COME),
    }


def _words(shown: PolicyVersion, text: PolicyText) -> dict[str, Any]:
    return {
        "text": text,
        "text_language": get_language_info(text.locale),
        "purposes": purpose_rows(shown.purposes),
        "keeps": keep_rows(),
    }
