"""Staff see masks and open in place, with purpose and reason (PROTECT-3, PROTECT-4, USE-3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.record import Reference
from privacy.access.break_glass import INVESTIGATIONS, LEAST_WORDS, RELEASERS, release_notice
from privacy.access.cases import CaseState, OpenCase, open_cases, state_of
from privacy.access.errors import AccessDenied, CaseEnded, CaseNotYours, NoticeGiven, NoticeWithheld
from privacy.access.forms import StrictForm
from privacy.access.gate import Grant, open_for_unit
from privacy.access.models import Opening
from privacy.access.overrides.queries import categories_open_now, purposes_open_now
from privacy.access.oversight.actions import confirm_need
from privacy.access.oversight.errors import HardLimit, SoftLimit
from privacy.access.oversight.pages import PERSON, looks_address
from privacy.access.units import current_unit
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.admin import Button, RoleAdmin, staff_page
from privacy.policy.matrix import BREAKS_GLASS, masked_for
from privacy.policy.roles import Actor, Role
from privacy.vault.fields import SealedField, sealed_fields
from privacy.vault.records import PersonalRecord
from privacy.vault.sealed import Sealed

CLOSES_AFTER_SECONDS = 60
THIS_PAGE = ""
NO_CASE = "none"

REFUSALS: dict[str, Promise] = {
    "ground_missing": _("The customer has not given, or has withdrawn, the permission for this purpose."),
    "subject_erased": _("This person's data has been erased."),
    "restricted": _("This person has frozen this data, or objected to this use. It may only be stored."),
    "purpose_not_in_force": _("The policy in force does not allow this purpose."),
    SoftLimit.code: _("You opened many people within this hour. Do you need this one too? Then say so below, and open again."),
    HardLimit.code: _("You reached the most people that your role may open within an hour. A privacy officer has to let you go on."),
    "case_missing": _("No case that fits: choose one of this person's that is yours, and a purpose that belongs to it."),
    "case_not_yours": _("This case is the work of somebody else. Take it first, or ask whoever has it."),
    "case_ended": _("Your part of this case is over, or has not begun. Choose another case of this person."),
}

CLOSED_CASES: dict[str, Promise] = {
    CaseNotYours.code: _("The case on this page is not the work of your role."),
    CaseEnded.code: _("Your part of the case on this page is over, or has not begun."),
}


class AnyPurpose(forms.ChoiceField):
    """Offers those that are of use here; another one is the gate's to refuse, and to record."""

    def valid_value(self, value: str) -> bool:
        return value in Purpose


class OpenForm(StrictForm):
    """Why somebody opens personal values: a purpose of their role, a case that is theirs, and a reason in their words.

    Opening without a case is asked twice: the form is sent again with ``is_confirmed`` after the page has shown what
    will happen.
    """

    purpose = AnyPurpose(label=_("Purpose"))
    case = forms.ChoiceField(label=_("Case"), required=False)
    reason = forms.CharField(
        label=_("Reason"),
        min_length=4,
        max_length=300,
        help_text=_("The customer can read this."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    is_silent = forms.BooleanField(
        label=_("An investigation would be spoiled: tell the customer in 30 days, not now"),
        required=False,
    )
    needs_many = forms.BooleanField(label=_("I need to open this many people"), required=False)
    is_confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)
    submit_names = frozenset({"_open"})
    asks_for_need = False

    def __init__(self, actor: Actor, useful: Iterable[Purpose], cases: Iterable[tuple[str, Any]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = [(purpose.value, purpose.label) for purpose in useful]  # type: ignore[attr-defined]
        self.fields["case"].choices = cases  # type: ignore[attr-defined]

    def clean(self) -> Any:
        cleaned = super().clean()
        if self.is_break_glass and "reason" in self.cleaned_data and len(self.cleaned_data["reason"].strip()) < LEAST_WORDS:
            self.add_error("reason", _("Without a case the reason must have at least %(count)s characters.") % {"count": LEAST_WORDS})
        return cleaned

    @property
    def is_break_glass(self) -> bool:
        return self.is_bound and self.data.get("case") == NO_CASE

    @property
    def asks_again(self) -> bool:
        """Everything is filled in, and what it leads to has not been confirmed yet."""
        return self.is_break_glass and self.is_valid() and not self.cleaned_data["is_confirmed"]

    @property
    def may_be_silent(self) -> bool:
        return self.is_valid() and self.cleaned_data["purpose"] in INVESTIGATIONS

    def given(self, obj: Any) -> dict[str, Any]:
        """What the gate is told, once the form is valid; ``obj`` is what the page is about."""
        case, is_break_glass = self.cleaned_data["case"], self.is_break_glass
        return {
            "purpose": Purpose(self.cleaned_data["purpose"]),
            "reason": self.cleaned_data["reason"],
            "case": obj if case in (THIS_PAGE, NO_CASE) else _reference(case),
            "break_glass": is_break_glass,
            "is_silent": is_break_glass and self.cleaned_data["is_silent"],
        }


def _reference(case: str) -> Reference:
    label, _colon, id = case.partition(":")
    return Reference(label, UUID(id))


def _choices(actor: Actor, here: Reference, own: CaseState | None, cases: Sequence[OpenCase]) -> list[tuple[str, Any]]:
    """The page's own case first, then the person's others, each while it is open; and no case at all for those who may."""
    is_open = own is not None and own.refusal_for(actor) is None
    first = [(THIS_PAGE, _("the one on this page"))] if is_open else []
    others = [(f"{case.reference.label}:{case.reference.id}", case.words) for case in cases if case.reference != here]
    without = [(NO_CASE, _("none fits: it is an emergency"))] if actor.role in BREAKS_GLASS else []
    return [*first, *others, *without]


def _why_closed(actor: Actor, own: CaseState | None) -> str:
    """Why the page's own case is not offered, in words; nothing where it is, or where the page is no case."""
    refusal = own.refusal_for(actor) if own else None
    if own is None or refusal is None:
        return ""
    if refusal is CaseEnded and own.ended_at is not None:
        words = _("The case on this page ended on %(at)s UTC: nothing is opened for it any more.")
        return words % {"at": date_format(own.ended_at, "DATETIME_FORMAT")}
    if refusal is CaseNotYours and actor.role in own.roles:
        return str(_("The case on this page is the work of somebody else now. Take it first, or ask whoever has it."))
    return str(CLOSED_CASES[refusal.code])


@dataclass(frozen=True)
class Line:
    """One value on a case page: its mask, or what the grant opened."""

    label: str
    text: str
    mask: str
    is_open: bool


class OpenableAdmin(RoleAdmin):
    """A case page with a panel of the personal records that belong to the case."""

    own_forms = frozenset({"_open"})

    def personal_records(self, obj: Any) -> list[PersonalRecord]:
        """The records shown in the panel, in order."""
        raise NotImplementedError

    def case_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        records = [record for record in self.personal_records(obj) if record is not None]
        useful = _useful_purposes(request.actor, records)  # type: ignore[attr-defined]
        actor: Actor = request.actor  # type: ignore[attr-defined]
        own = state_of(Reference.to(obj), actor)
        cases = _choices(actor, Reference.to(obj), own, open_cases(actor, records[0].subject_id)) if useful else []
        grant, form, refusal = self._opened(request, obj, records, OpenForm(actor, useful, cases, *_sent(request)))
        return {
            **super().case_context(request, obj),
            "personal_panels": [(record, lines) for record in records if (lines := _lines(record, grant, self._role(request)))],
            "kept_from_role": _kept_from(self._role(request), records),
            "open_form": form if useful else None,
            "open_refusal": refusal,
            "own_case_closed": _why_closed(actor, own),
            "may_break_glass": actor.role in BREAKS_GLASS,
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

    def _opened(self, request: HttpRequest, obj: Any, records: list[PersonalRecord], form: OpenForm) -> tuple[Grant | None, OpenForm, str]:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        if not records or not form.is_valid() or form.asks_again:
            return None, form, ""
        try:
            if form.cleaned_data["needs_many"]:
                confirm_need(by=actor)
            grant = open_for_unit(by=actor, subject=records[0].subject_id, **form.given(obj))
            grant.load(records)
        except AccessDenied as refusal:
            form.asks_for_need = isinstance(refusal, SoftLimit)
            return None, form, explain(refusal)
        return grant, form, ""


def _sent(request: HttpRequest) -> list[QueryDict]:
    """What was filled in to open something, as the form takes it."""
    return [request.POST] if request.method == "POST" and "_open" in request.POST else []


def _shown_fields(record: PersonalRecord) -> list[SealedField]:
    """All but credentials, with which whoever reads them could act as the person."""
    return [field for field in sealed_fields(record) if not field.is_credential]


def _useful_purposes(actor: Actor, records: list[PersonalRecord]) -> list[Purpose]:
    """The purposes of this role that open at least one value shown here."""
    present = {field.category for record in records for field in _shown_fields(record)}
    unit = current_unit()
    return [purpose for purpose in purposes_open_now(unit, actor.role) if categories_open_now(unit, actor.role, purpose) & present]


def _kept_from(role: Role, records: list[PersonalRecord]) -> list[str]:
    """The kinds of data in these records of which the role does not even see masks."""
    present = {field.category for record in records for field in _shown_fields(record)}
    return [str(category.label) for category in Category if category in present - masked_for(role)]


def _lines(record: PersonalRecord, grant: Grant | None, role: Role) -> list[Line]:
    """The fields that hold something and that the role may see, masked or opened."""
    seen = masked_for(role) | (grant.categories if grant else frozenset())
    held = ((field, getattr(record, field.name)) for field in _shown_fields(record) if field.category in seen)
    return [_line(field, value, grant) for field, value in held if value is not None]


def _line(field: SealedField, value: Sealed, grant: Grant | None) -> Line:
    label = str(field.verbose_name)
    if grant is None or field.category not in grant.categories:
        return Line(label, field.mask, field.mask, is_open=False)
    return Line(label, grant.show(value), field.mask, is_open=True)


def explain(refusal: AccessDenied) -> str:
    """A refusal in plain words; every one of them has been recorded."""
    return str(REFUSALS.get(refusal.code, _("You may not open this. The attempt has been recorded.")))


@admin.register(Opening)
class OpeningAdmin(OpenableAdmin):
    viewers = frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR, Role.SECURITY})
    list_display = ["opened_at", "role", "purpose", "case_label", "is_break_glass", "actor_id"]
    list_filter = ["is_break_glass", "role", "purpose"]
    date_hierarchy = "opened_at"
    buttons = [
        Button(
            name="release_notice",
            label=_("Tell the customer now"),
            does=_("Sends the customer the mail that was held back for an investigation. It cannot be taken back."),
            action=lambda actor, opening: release_notice(by=actor, opening=opening),
            roles=RELEASERS,
            when=lambda opening: opening.notice_due_at is not None and opening.noticed_at is None,
            refusals=(NoticeGiven, NoticeWithheld),
        )
    ]

    def personal_records(self, obj: Opening) -> list[PersonalRecord]:
        return [obj]

    def case_context(self, request: HttpRequest, obj: Opening) -> dict[str, Any]:
        return {
            **super().case_context(request, obj),
            "object": obj,
            "looks_address": looks_address(obj.actor_id),
            "person_address": staff_page(request, PERSON, obj.subject_id),
            "case_panels": ["admin/privacy/opening/panel.html"],
        }
