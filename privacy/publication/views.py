"""History, differences and announcements of the policy, for anybody, signed in or not (CHANGE-1, CHANGE-5)."""

from __future__ import annotations

from collections.abc import Callable

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, get_language_info
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from privacy.policy.differences import compare_sections, compare_summaries, compare_words
from privacy.policy.models import PolicyVersion
from privacy.policy.queries import Chapter, Standing, history, texts_to_compare
from privacy.policy.tables import purpose_rows
from privacy.publication.forms import CompareForm

PER_PAGE = 20


def public_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Read by anybody, asked for anew each time, and open to staff between password and second factor."""
    shown = require_safe(cache_control(private=True, no_cache=True)(view))
    shown.open_to_half_signed_in = True  # type: ignore[attr-defined]
    return shown


@public_page
def policy_history(request: HttpRequest) -> HttpResponse:
    """Every version with its times; two of them can be chosen to be compared."""
    chapters = history()
    numbers = [chapter.version.number for chapter in chapters]
    form = CompareForm(numbers, request.GET if "old" in request.GET else None)
    if form.is_bound and form.is_valid():
        return redirect("privacy:policy-differences", form.cleaned_data["old"], form.cleaned_data["new"])
    page = Paginator(chapters, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "privacy/policy_history.html", {"page": page, "form": form}, status=422 if form.errors else 200)


@public_page
def policy_differences(request: HttpRequest, old: int, new: int) -> HttpResponse:
    """Two versions side by side, word by word, with the uses added and removed."""
    versions = {chapter.version.number: chapter for chapter in history()}
    if old == new or old not in versions or new not in versions:
        raise Http404
    was, now = versions[old], versions[new]
    old_text, new_text = texts_to_compare(was.version, now.version, get_language() or "")
    context = {
        "old": was,
        "new": now,
        "title": compare_words(old_text.title, new_text.title),
        "summary": compare_summaries(old_text.summary, new_text.summary),
        "sections": compare_sections(old_text.sections, new_text.sections),
        "locale": new_text.locale,
        "text_language": get_language_info(new_text.locale),
        **_changed_purposes(was.version, now.version),
    }
    return render(request, "privacy/policy_differences.html", context)


@public_page
def announcements(request: HttpRequest) -> HttpResponse:
    """What was announced and when, newest first."""
    page = Paginator(history(), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "privacy/announcements.html", {"page": page})


@public_page
def announcement(request: HttpRequest, number: int) -> HttpResponse:
    """One announcement: what changes, from when, and what its reader can do."""
    chapters = history()
    shown = next((chapter for chapter in chapters if chapter.version.number == number), None)
    if shown is None:
        raise Http404
    before = _before(shown, chapters)
    old_text, text = texts_to_compare(before.version if before else shown.version, shown.version, get_language() or "")
    context = {
        "shown": shown,
        "before": before,
        "text": text,
        "text_language": get_language_info(text.locale),
        "sections": compare_sections(old_text.sections, text.sections),
        **(_changed_purposes(before.version, shown.version) if before else {}),
    }
    return render(request, "privacy/announcement.html", context)


def _before(shown: Chapter, chapters: list[Chapter]) -> Chapter | None:
    """The version that this one replaces, replaced or would have replaced."""
    earlier = [chapter for chapter in chapters if chapter.version.number < shown.version.number]
    return next((chapter for chapter in earlier if chapter.standing != Standing.WITHDRAWN), None)


def _changed_purposes(old: PolicyVersion, new: PolicyVersion) -> dict[str, object]:
    was, now = set(old.purposes), set(new.purposes)
    return {"purposes_added": purpose_rows(now - was), "purposes_removed": purpose_rows(was - now)}
