"""The staff's pages on which the next version of the policy is written, previewed and announced (CHANGE-1, CHANGE-2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from privacy.policy.actions import fingerprint
from privacy.policy.admin import RoleAdmin
from privacy.policy.differences import compare_sections, compare_summaries, compare_words
from privacy.policy.errors import RoleMayNot
from privacy.policy.queries import policy_in_force, text_of, version_to_come
from privacy.policy.tables import purpose_rows
from privacy.publication.actions import (
    ANNOUNCES,
    PREPARES,
    announce_draft,
    change_words,
    choose_purposes,
    discard_draft,
    start_draft,
    whole_fingerprint,
)
from privacy.publication.admin import saved
from privacy.publication.errors import PublicationError
from privacy.publication.forms import AnnounceForm, PurposesForm, WordsForm
from privacy.publication.models import PolicyDraft
from privacy.publication.queries import differs_from_version, is_complete, missing_words, number_concerned, words_to_edit

LIST = "admin:privacy_policydraft_changelist"
PAGE = "admin:privacy_policydraft_change"


@admin.register(PolicyDraft)
class PolicyDraftAdmin(RoleAdmin):
    """Drafts, newest first. The page of a draft is where everything about it is done."""

    viewers = PREPARES
    list_display = ["started_at", "based_on", "changed_at", "announced_as", "discarded_at"]
    list_select_related = ["based_on", "announced_as"]

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, Callable[..., HttpResponse], str]] = [
            ("words/<str:locale>/", self.words_view, "words"),
            ("preview/<str:locale>/", self.preview_view, "preview"),
            ("purposes/", self.purposes_view, "purposes"),
            ("announce/", self.announce_view, "announce"),
        ]
        own = [
            path(f"<uuid:draft_id>/{address}", self.admin_site.admin_view(view), name=f"privacy_policydraft_{name}")
            for address, view, name in pages
        ]
        return [*own, *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._role(request) in PREPARES

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Says what a draft is, and starts one."""
        self._refuse_others(request)
        if request.method == "POST":
            return self._do(request, lambda: start_draft(by=request.actor), _("The draft is a copy of the version in force."))  # type: ignore[attr-defined]
        return self._page(request, "draft_start", _("Start a draft"), in_force=policy_in_force())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """How far each language is, and what can be done next."""
        draft = self.get_object(request, object_id)
        if draft is None:
            return super().change_view(request, object_id, form_url, extra_context)
        self._refuse_others(request)
        if request.method == "POST":
            if "_discard" not in request.POST:
                raise PermissionDenied
            return self._do(request, lambda: discard_draft(by=request.actor, draft=draft), _("The draft is discarded."))  # type: ignore[attr-defined]
        languages = [(locale, name, missing_words(draft, locale)) for locale, name in settings.LANGUAGES]
        chosen = purpose_rows(draft.purposes)
        return self._page(request, "draft", str(draft), draft=draft, languages=languages, purposes=chosen, **self._readiness(draft))

    def words_view(self, request: HttpRequest, draft_id: Any, locale: str) -> HttpResponse:
        """The words of one language, part by part."""
        draft = self._open_draft(request, draft_id)
        name = self._language(locale)
        words = words_to_edit(draft, locale)
        form = WordsForm(words, locale, request.POST or None, initial={"seen": fingerprint(draft.texts.get(locale))})

        def save() -> None:
            change_words(by=request.actor, draft=draft, locale=locale, words=form.words, seen=form.cleaned_data["seen"])  # type: ignore[attr-defined]

        if form.is_valid() and saved(form, save):
            messages.success(request, _("Saved. Nobody outside sees it yet."))
            return redirect(PAGE, draft.pk)
        return self._page(request, "draft_words", _("Words in %(language)s") % {"language": name}, form, draft=draft, locale=locale)

    def purposes_view(self, request: HttpRequest, draft_id: Any) -> HttpResponse:
        """The uses that the version would allow."""
        draft = self._open_draft(request, draft_id)
        initial = {"seen": fingerprint(draft.purposes), "purposes": draft.purposes}
        form = PurposesForm(request.POST or None, initial=initial)

        def save() -> None:
            choose_purposes(by=request.actor, draft=draft, purposes=form.cleaned_data["purposes"], seen=form.cleaned_data["seen"])  # type: ignore[attr-defined]

        if form.is_valid() and saved(form, save):
            messages.success(request, _("Saved. Nobody outside sees it yet."))
            return redirect(PAGE, draft.pk)
        return self._page(request, "draft_purposes", _("Uses that the version allows"), form, draft=draft)

    def preview_view(self, request: HttpRequest, draft_id: Any, locale: str) -> HttpResponse:
        """What the draft changes, in one language, as readers will see it."""
        draft = self._find_draft(request, draft_id)
        name = self._language(locale)
        old, new = text_of(draft.based_on, locale), words_to_edit(draft, locale)
        is_first = old.locale != locale
        differences = {
            "differences_title": compare_words("" if is_first else old.title, new["title"]),
            "summary": compare_summaries([] if is_first else old.summary, new["summary"]),
            "sections": compare_sections([] if is_first else old.sections, new["sections"]),
            "text_language": get_language_info(locale),
            "locale": locale,
            "name": name,
            **_changed_purposes(draft),
        }
        return self._page(request, "draft_preview", _("What changes, in %(language)s") % {"language": name}, draft=draft, **differences)

    def announce_view(self, request: HttpRequest, draft_id: Any) -> HttpResponse:
        """The plan: who is told, from when it counts. Announced by the privacy officer, once."""
        draft = self._open_draft(request, draft_id)
        if self._role(request) not in ANNOUNCES:
            raise PermissionDenied
        form = AnnounceForm(request.POST or None, initial={"seen": whole_fingerprint(draft)})
        if form.is_valid():
            effective_at, seen = form.cleaned_data["effective_on"], form.cleaned_data["seen"]

            def announce() -> None:
                announce_draft(by=request.actor, draft=draft, effective_at=effective_at, seen=seen)  # type: ignore[attr-defined]

            try:
                if saved(form, announce):
                    messages.success(request, _("Announced. The mails are on their way, and every page shows it."))
                    return redirect(PAGE, draft.pk)
            except PublicationError as refusal:
                form.add_error(None, refusal.words)
        context = {"concerned": number_concerned(), "draft": draft, **self._readiness(draft), **_changed_purposes(draft)}
        return self._page(request, "draft_announce", _("Announce this version"), form, **context)

    def _readiness(self, draft: PolicyDraft) -> dict[str, Any]:
        return {
            "is_complete": is_complete(draft),
            "differs": differs_from_version(draft, policy_in_force()),
            "pending": version_to_come() if draft.is_open else None,
        }

    def _page(self, request: HttpRequest, template: str, title: str, form: Any = None, **context: Any) -> HttpResponse:
        status = 422 if form is not None and form.errors else 200
        own = {"opts": self.opts, "title": title, "form": form, "may_announce": self._role(request) in ANNOUNCES}
        return TemplateResponse(
            request, f"admin/policy/{template}.html", {**self.admin_site.each_context(request), **own, **context}, status=status
        )

    def _do(self, request: HttpRequest, action: Callable[[], object], done: str) -> HttpResponse:
        """Run a single step and go on to the draft, or back to the list."""
        try:
            result = action()
        except PublicationError as refusal:
            messages.warning(request, refusal.words)
            return redirect(LIST)
        except RoleMayNot:
            raise PermissionDenied from None
        messages.success(request, done)
        return redirect(PAGE, result.pk) if isinstance(result, PolicyDraft) else redirect(LIST)

    def _find_draft(self, request: HttpRequest, draft_id: Any) -> PolicyDraft:
        self._refuse_others(request)
        draft = PolicyDraft.objects.select_related("based_on").filter(pk=draft_id).first()
        if draft is None:
            raise Http404
        return draft

    def _open_draft(self, request: HttpRequest, draft_id: Any) -> PolicyDraft:
        """A draft that ended has no forms any more."""
        draft = self._find_draft(request, draft_id)
        if not draft.is_open:
            raise Http404
        return draft

    def _refuse_others(self, request: HttpRequest) -> None:
        if self._role(request) not in PREPARES:
            raise PermissionDenied

    def _language(self, locale: str) -> str:
        """The language's name; not found for one that the site does not have."""
        names = dict(settings.LANGUAGES)
        if locale not in names:
            raise Http404
        return str(names[locale])


def _changed_purposes(draft: PolicyDraft) -> dict[str, Any]:
    was, now = set(policy_in_force().purposes), set(draft.purposes)
    return {
        "purposes_added": purpose_rows(now - was),
        "purposes_removed": purpose_rows(was - now),
    }
