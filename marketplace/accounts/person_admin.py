"""One person for those who look into misuse and emergencies: found by an exact address or an id, shown as masks."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from marketplace.accounts.actions import search_account
from marketplace.accounts.errors import TooManySearches
from privacy.access.admin import OpenableAdmin
from privacy.access.forms import StrictForm
from privacy.access.models import Opening
from privacy.alerts.models import Alert
from privacy.policy.matrix import BREAKS_GLASS, masked_for
from privacy.policy.roles import Actor, Role
from privacy.retention.walker import Model, fields_in, record_models
from privacy.rights.queries import RecordSequence
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord

RECORDS_A_PAGE = 20
POINT_AT_PEOPLE = ((Subject, "pk"), (Alert, "subject_id"), (Opening, "subject_id"), (Entry, "subject_id"))


class FindForm(StrictForm):
    """An email address or an id, both whole."""

    sought = forms.CharField(
        label=_("Exact email address, or an id"),
        max_length=254,
        help_text=_("The id of the person, or of an alert, a look or a log entry about them. Searching by an address is recorded."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    submit_names = frozenset({"_find"})

    def clean_sought(self) -> UUID | str:
        sought = self.cleaned_data["sought"].strip()
        try:
            return UUID(sought)
        except ValueError:
            validate_email(sought)
        return sought


@admin.register(Subject)
class PersonAdmin(OpenableAdmin):
    """Nobody is listed: whoever may break the glass knows whom they look for. Whatever they open is what their role may."""

    viewers = BREAKS_GLASS
    fields: ClassVar = ("id", "kind", "created_at", "erased_at")
    readonly_fields = fields

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Finding is a POST, because an address has no place in a URL."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = FindForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and (person := self._found(request, form)) is not None:
            return redirect("admin:privacy_subject_change", person)
        context = {**self.admin_site.each_context(request), "title": _("Find a person"), "form": form, **(extra_context or {})}
        return render(request, "admin/privacy/subject/find.html", context, status=422 if form.errors else 200)

    def _found(self, request: HttpRequest, form: FindForm) -> UUID | None:
        sought, actor = form.cleaned_data["sought"], request.actor  # type: ignore[attr-defined]
        try:
            found = person_behind(sought) if isinstance(sought, UUID) else _person_with_mailbox(actor, sought)
        except TooManySearches as refusal:
            form.add_error("sought", str(refusal))
            return None
        if found is None:
            form.add_error("sought", _("Nobody was found: no open account has this address, or no person stands behind this id."))
        return found

    def personal_records(self, obj: Any) -> list[PersonalRecord]:
        """The page that ``case_context`` has chosen."""
        return list(obj.page)

    def case_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        records = RecordSequence(obj.pk, _models_shown_to(self._role(request)))
        obj.page = Paginator(records, RECORDS_A_PAGE).get_page(request.GET.get("page"))
        return {**super().case_context(request, obj), "page": obj.page, "case_panels": ["admin/privacy/subject/panel.html"]}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_view_permission(request) and self.get_object(request, object_id) is None:
            messages.warning(request, _("Nobody has this id."))
            return redirect("admin:privacy_subject_changelist")
        return super().change_view(request, object_id, form_url, extra_context)


def person_behind(id: UUID) -> UUID | None:
    """Whose id this is: the person's own, or that of an alert, a look or a log entry about them."""
    for model, path in POINT_AT_PEOPLE:
        found: UUID | None = model._base_manager.filter(pk=id).values_list(path, flat=True).first()
        if found is not None:
            return found
    return None


def _person_with_mailbox(actor: Actor, email: str) -> UUID | None:
    user = search_account(by=actor, email=email)
    return user.subject_id if user else None


def _models_shown_to(role: Role) -> list[Model]:
    """Those with a value of which the role sees masks."""
    return [model for model in record_models() if any(fields_in(model, category) for category in masked_for(role))]
