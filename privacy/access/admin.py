"""Staff see masks and open in place, with purpose and reason (PROTECT-3, PROTECT-4, USE-3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from privacy.access.errors import AccessDenied
from privacy.access.forms import StrictForm
from privacy.access.gate import Grant, open_for_unit
from privacy.access.models import Opening
from privacy.declarations.purposes import Purpose
from privacy.policy.admin import RoleAdmin
from privacy.policy.matrix import categories_open_to, purposes_open_to
from privacy.policy.roles import Actor, Role
from privacy.vault.fields import SealedField, sealed_fields
from privacy.vault.records import PersonalRecord
from privacy.vault.sealed import Sealed

CLOSES_AFTER_SECONDS = 60


class OpenForm(StrictForm):
    """Why somebody opens personal values: a purpose of their role, and a reason in their words."""

    purpose = forms.ChoiceField(label=_("Purpose"))
    reason = forms.CharField(
        label=_("Reason"),
        min_length=4,
        max_length=300,
        help_text=_("The customer can read this."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    submit_names = frozenset({"_open"})

    def __init__(self, actor: Actor, useful: Iterable[Purpose], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = [(purpose.value, purpose.label) for purpose in useful]  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Line:
    """One value on a case page: its mask, or what the grant opened."""

    label: str
    text: str
    mask: str
    is_open: bool


class OpenableAdmin(RoleAdmin):
    """A case page with a panel of the personal records that belong to the case."""

    def personal_records(self, obj: Any) -> list[PersonalRecord]:
        """The records shown in the panel, in order."""
        raise NotImplementedError

    def case_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        records = [record for record in self.personal_records(obj) if record is not None]
        useful = _useful_purposes(request.actor, records)  # type: ignore[attr-defined]
        grant, form, refusal = self._opened(request, obj, records, useful)
        return {
            **super().case_context(request, obj),
            "personal_panels": [(record, _lines(record, grant)) for record in records],
            "open_form": form if useful else None,
            "open_refusal": refusal,
            "opened": grant is not None,
            "closes_after": CLOSES_AFTER_SECONDS,
        }

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        response["Cache-Control"] = "no-store"
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Opening is a POST that changes nothing: Django renders the page as for a GET."""
        if request.method == "POST" and "_open" in request.POST:
            request.method = "GET"
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _opened(
        self,
        request: HttpRequest,
        obj: Any,
        records: list[PersonalRecord],
        useful: list[Purpose],
    ) -> tuple[Grant | None, OpenForm, str]:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        if request.method != "POST" or "_open" not in request.POST or not records:
            return None, OpenForm(actor, useful), ""
        form = OpenForm(actor, useful, request.POST)
        if not form.is_valid():
            return None, form, ""
        try:
            grant = open_for_unit(
                by=actor,
                purpose=Purpose(form.cleaned_data["purpose"]),
                subject=records[0].subject_id,
                reason=form.cleaned_data["reason"],
                case=obj,
            )
            grant.load(records)
        except AccessDenied as refusal:
            return None, form, _explain(refusal)
        return grant, form, ""


def _useful_purposes(actor: Actor, records: list[PersonalRecord]) -> list[Purpose]:
    """The purposes of this role that open at least one value shown here."""
    present = {field.category for record in records for field in sealed_fields(record)}
    return [purpose for purpose in purposes_open_to(actor.role) if categories_open_to(actor.role, purpose) & present]


def _lines(record: PersonalRecord, grant: Grant | None) -> list[Line]:
    """The fields that hold something."""
    held = ((field, getattr(record, field.name)) for field in sealed_fields(record))
    return [_line(field, value, grant) for field, value in held if value is not None]


def _line(field: SealedField, value: Sealed, grant: Grant | None) -> Line:
    label = str(field.verbose_name)
    if grant is None or field.category not in grant.categories:
        return Line(label, field.mask, field.mask, is_open=False)
    text = grant.read(value)
    if text is None:
        return Line(label, gettext("can no longer be read"), field.mask, is_open=False)
    return Line(label, text, field.mask, is_open=True)


def _explain(refusal: AccessDenied) -> str:
    return {
        "ground_missing": gettext("The customer has not given, or has withdrawn, the permission for this purpose."),
        "subject_erased": gettext("This person's data has been erased."),
        "restricted": gettext("This person has frozen this data, or objected to this use. It may only be stored."),
        "purpose_not_in_force": gettext("The policy in force does not allow this purpose."),
    }.get(refusal.code, gettext("You may not open this. The attempt has been recorded."))


@admin.register(Opening)
class OpeningAdmin(OpenableAdmin):
    viewers = frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR, Role.SECURITY})
    list_display = ["opened_at", "role", "purpose", "case_label", "actor_id"]
    list_filter = ["role", "purpose"]
    date_hierarchy = "opened_at"

    def personal_records(self, obj: Opening) -> list[PersonalRecord]:
        return [obj]
