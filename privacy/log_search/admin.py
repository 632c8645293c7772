"""The staff page on which the log is searched, and that of one entry: read, and never written (USE-3, PROTECT-3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from audit.commitments import key_source
from audit.models import Entry, Leaf
from privacy.access.approvals.kinds import kind_named
from privacy.access.oversight.pages import PERSON
from privacy.access.silences.actions import can_be_withheld
from privacy.access.silences.registrations import SILENCE
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.log_search.actions import drop_search, keep_search, read_entry, search_log
from privacy.log_search.bundles import LOG_BUNDLE
from privacy.log_search.errors import LogSearchRefused
from privacy.log_search.forms import DropForm, KeepForm, LogSearchForm, MailboxForm
from privacy.log_search.people import mailbox_search_for
from privacy.log_search.queries import READERS, kept_by
from privacy.log_search.searches import LogSearch, label_of, role_label
from privacy.policy.admin import RoleAdmin, staff_page
from privacy.vault.errors import VaultUnavailable

ADDRESS = "admin:audit_entry_changelist"


@dataclass(frozen=True)
class Line:
    """One entry in the list, with the words and addresses that it has for whoever reads it."""

    entry: Entry
    role: str
    purpose: str
    categories: str
    case_address: str

    @property
    def actor(self) -> str:
        """As the search takes it."""
        return str(self.entry.actor_id or self.entry.actor_name)

    @property
    def can_be_withheld(self) -> bool:
        return can_be_withheld(self.entry)


@admin.register(Entry)
class EntryAdmin(RoleAdmin):
    """A search in the address, so that it can be sent to a colleague; each reading is recorded."""

    viewers = READERS
    readonly_fields = [field.name for field in Entry._meta.concrete_fields]
    fields = tuple(readonly_fields)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            step = next((take for name, take in self._steps().items() if name in request.POST), None)
            if step is None:
                raise PermissionDenied
            return step(request)
        return self._page(request, LogSearchForm(request.GET))

    def _steps(self) -> dict[str, Any]:
        return {"_find": self._find, "_keep": self._keep, "_drop": self._drop}

    def _page(self, request: HttpRequest, form: LogSearchForm, **forms: Any) -> HttpResponse:
        actor, is_valid = request.actor, form.is_valid()  # type: ignore[attr-defined]
        search = form.search if is_valid else LogSearch()
        found = search_log(by=actor, search=search, **form.place) if is_valid else None
        beyond = {"beyond": found.stretch.start} if found and found.stretch.start else {}
        finder = mailbox_search_for(actor)
        context = {
            **self.admin_site.each_context(request),
            "title": _("The log"),
            "opts": self.model._meta,
            "form": form,
            "found": found,
            "page": found.page if found else None,
            "lines": _lines(request, found.page.entries) if found else [],
            "keep": _query(search.parameters | beyond, "&"),
            "search_query": _query(search.parameters, "&"),
            "is_narrowed": bool(search.used),
            "kept": [(kept, _query(kept.parameters)) for kept in kept_by(actor.id)],
            "mailbox_form": forms.get("mailbox_form") or MailboxForm() if finder else None,
            "keep_form": forms.get("keep_form") or KeepForm() if search.used else None,
            "bundle_address": self._asking(request, LOG_BUNDLE, search.parameters) if search.used else "",
            "silence_address": self._asking(request, SILENCE, {}) if search.person else "",
        }
        status = 200 if is_valid and not any(given.errors for given in forms.values()) else 422
        return render(request, "admin/audit/entry/search.html", context, status=status)

    def _asking(self, request: HttpRequest, kind: str, parameters: dict[str, str]) -> str:
        """The page on which this act is asked for; nothing for roles that do not ask for it."""
        if not kind_named(kind).may_propose(request.actor):  # type: ignore[attr-defined]
            return ""
        return reverse("admin:privacy_proposal_ask", args=[kind], query=parameters)

    def _find(self, request: HttpRequest) -> HttpResponse:
        """By mailbox: a POST, and then the person's random id in the address."""
        finder, form = mailbox_search_for(request.actor), MailboxForm(request.POST)  # type: ignore[attr-defined]
        if finder is None:
            raise PermissionDenied
        if not form.is_valid():
            return self._page(request, LogSearchForm(request.GET), mailbox_form=form)
        try:
            person = finder.find(request.actor, form.cleaned_data["email"])  # type: ignore[attr-defined]
        except finder.refusals as refusal:
            messages.error(request, str(refusal))
            return redirect(ADDRESS)
        if person is None:
            messages.warning(request, _("No open account has this address."))
            return redirect(ADDRESS)
        return redirect(reverse(ADDRESS, query={"person": str(person)}))

    def _keep(self, request: HttpRequest) -> HttpResponse:
        wanted, form = LogSearchForm(request.GET), KeepForm(request.POST)
        if not wanted.is_valid() or not form.is_valid():
            return self._page(request, wanted, keep_form=form)
        try:
            keep_search(by=request.actor, search=wanted.search, **form.cleaned_data)  # type: ignore[attr-defined]
        except LogSearchRefused as refusal:
            form.add_error(None, str(refusal))
            return self._page(request, wanted, keep_form=form)
        messages.success(request, _("Kept, for you alone."))
        return redirect(reverse(ADDRESS, query=wanted.search.parameters))

    def _drop(self, request: HttpRequest) -> HttpResponse:
        form = DropForm(request.POST)
        if not form.is_valid():
            raise PermissionDenied
        drop_search(by=request.actor, id=form.cleaned_data["search"])  # type: ignore[attr-defined]
        return redirect(ADDRESS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        entry = self.get_object(request, object_id)
        if entry is not None and self.has_view_permission(request, entry):
            read_entry(by=request.actor, entry=entry)  # type: ignore[attr-defined]
        return super().change_view(request, object_id, form_url, extra_context)

    def case_context(self, request: HttpRequest, obj: Entry) -> dict[str, Any]:
        leaf = Leaf.objects.filter(entry_id=obj.pk).first()
        return {
            **super().case_context(request, obj),
            "line": next(iter(_lines(request, [obj]))),
            "person_address": staff_page(request, PERSON, obj.subject_id),
            "leaf": leaf,
            "is_erased": _is_erased(leaf),
            "silence_address": self._asking(request, SILENCE, {"entries": str(obj.pk)}) if can_be_withheld(obj) else "",
            "case_panels": ["admin/audit/entry/panel.html"],
        }


def _is_erased(leaf: Leaf | None) -> bool:
    """Not said while the keys' database does not answer: an entry is read all the same."""
    if leaf is None or leaf.key_id is None:
        return False
    try:
        return leaf.key_id in key_source().destroyed_keys({leaf.key_id})
    except VaultUnavailable:
        return False


def _lines(request: HttpRequest, entries: Iterable[Entry]) -> list[Line]:
    return [
        Line(
            entry=entry,
            role=role_label(entry.actor_role),
            purpose=label_of(Purpose, entry.purpose),
            categories=", ".join(label_of(Category, name) for name in entry.categories),
            case_address=staff_page(request, entry.case_label, entry.case_id),
        )
        for entry in entries
    ]


def _query(parameters: dict[str, str], end: str = "") -> str:
    return f"{urlencode(parameters)}{end}" if parameters else ""
