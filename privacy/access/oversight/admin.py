"""Alerts, closures and reviews for those who oversee the staff (PROTECT-3, USE-3, RIGHTS-9)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F
from django.http import HttpRequest
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from privacy.access.admin import OpenableAdmin
from privacy.access.models import Opening
from privacy.access.oversight import dashboard  # noqa: F401  adds its cards
from privacy.access.oversight.actions import LIFTERS, REVIEWERS, decide_review, lift_closure
from privacy.access.oversight.errors import OversightRefused
from privacy.access.oversight.models import OpeningClosure, Review
from privacy.access.oversight.pages import FindingAdmin, OpenFilter, looks_address
from privacy.alerts.actions import OFFICE, close_alert
from privacy.alerts.dashboard import VIEWERS
from privacy.alerts.errors import AlertRefused
from privacy.alerts.kinds import words_for
from privacy.alerts.models import Alert
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.admin import Button, RoleAdmin, staff_page
from privacy.policy.roles import Actor
from privacy.vault.records import PersonalRecord


class OpenAlertFilter(OpenFilter):
    ended = "closed_at"


class OpenReviewFilter(OpenFilter):
    ended = "reviewed_at"


class OpenClosureFilter(OpenFilter):
    ended = "lifted_at"


@admin.register(Alert)
class AlertAdmin(FindingAdmin):
    viewers = VIEWERS
    finders = OFFICE
    outcomes = Alert.Outcome
    refusals = AlertRefused
    found = _("Closed. What you found stays on record.")
    list_display = ["kind", "shown_age", "count", "role", "shown_state"]
    list_filter = [OpenAlertFilter, "kind", "outcome"]
    ordering = [F("closed_at").desc(nulls_first=True), "raised_at"]  # type: ignore[list-item]
    fields: ClassVar = ("closed_at", "closed_by", "outcome", "note")
    readonly_fields = fields

    @admin.display(description=_("raised"), ordering="raised_at")
    def shown_age(self, alert: Alert) -> str:
        return _("%(age)s ago") % {"age": timesince(alert.raised_at, depth=1)}

    @admin.display(description=_("state"), ordering="closed_at")
    def shown_state(self, alert: Alert) -> SafeString:
        look, words = ("danger", _("open")) if alert.is_open else ("success", alert.get_outcome_display())
        return format_html('<span class="badge badge-{}">{}</span>', look, words)

    def find(self, by: Actor, obj: Alert, outcome: str, note: str) -> object:
        return close_alert(by=by, alert=obj, outcome=Alert.Outcome(outcome), note=note)

    def case_context(self, request: HttpRequest, obj: Alert) -> dict[str, Any]:
        return {
            **super().case_context(request, obj),
            "words": words_for(obj.kind),
            "about_address": staff_page(request, obj.about_label, obj.about_id),
            "case_panels": ["admin/oversight/alert.html", "admin/oversight/finding.html"],
        }


@admin.register(Review)
class ReviewAdmin(FindingAdmin, OpenableAdmin):
    """The queue of looks to be judged; the reason that was given opens under the reviewer's own purpose."""

    viewers = VIEWERS
    own_forms = FindingAdmin.own_forms | OpenableAdmin.own_forms
    finders = REVIEWERS
    outcomes = Review.Outcome
    refusals = OversightRefused
    found = _("Reviewed. The customer can see the outcome.")
    list_display = ["drawn_at", "cause", "role", "shown_clock", "shown_outcome"]
    list_filter = [OpenReviewFilter, "cause", "outcome", "role"]
    ordering = [F("reviewed_at").desc(nulls_first=True), "due_at"]  # type: ignore[list-item]
    fields: ClassVar = ("cause", "drawn_at", "reviewed_at", "reviewed_by", "outcome", "note")
    readonly_fields = fields

    @admin.display(description=_("review by"), ordering="due_at")
    def shown_clock(self, review: Review) -> Any:
        day = formats.date_format(review.due_at, "DATE_FORMAT")
        return format_html('{} <span class="badge badge-danger">{}</span>', day, _("overdue")) if review.is_overdue else day

    @admin.display(description=_("outcome"), ordering="outcome")
    def shown_outcome(self, review: Review) -> str:
        return review.get_outcome_display() or "–"

    def personal_records(self, obj: Review) -> list[PersonalRecord]:
        return [look] if (look := _look_of(obj)) else []

    def find(self, by: Actor, obj: Review, outcome: str, note: str) -> object:
        return decide_review(by=by, review=obj, outcome=Review.Outcome(outcome), note=note)

    def case_context(self, request: HttpRequest, obj: Review) -> dict[str, Any]:
        look, context = _look_of(obj), super().case_context(request, obj)
        if context["open_form"]:
            context["open_form"].initial.setdefault("purpose", Purpose.SECURITY)
        return {
            **context,
            "look": look,
            "look_categories": ", ".join(str(Category(name).label) for name in look.categories) if look else "",
            "look_case_address": staff_page(request, look.case_label, look.case_id) if look else "",
            "case_panels": ["admin/oversight/review.html", "admin/oversight/finding.html"],
        }


def _look_of(review: Review) -> Opening | None:
    """Gone once its year is over."""
    return Opening.objects.filter(subject_id=review.subject_id, pk=review.opening_id).first()


@admin.register(OpeningClosure)
class OpeningClosureAdmin(RoleAdmin):
    viewers = VIEWERS
    list_display = ["closed_at", "role", "people", "lifted_at"]
    list_filter = [OpenClosureFilter, "role"]
    ordering = [F("lifted_at").desc(nulls_first=True), "-closed_at"]  # type: ignore[list-item]
    fields: ClassVar = ("people", "closed_at", "lifted_at", "lifted_by")
    readonly_fields = fields
    buttons = [
        Button(
            name="lift",
            label=_("Let them open people again"),
            does=_("From now on they are counted anew. Talk to them first: they reached the most that their role may open within an hour."),
            action=lambda actor, closure: lift_closure(by=actor, closure=closure),
            roles=LIFTERS,
            when=lambda closure: closure.is_open,
            refusals=(OversightRefused,),
        )
    ]

    def case_context(self, request: HttpRequest, obj: OpeningClosure) -> dict[str, Any]:
        return {"object": obj, "looks_address": looks_address(obj.actor_id), "case_panels": ["admin/oversight/closure.html"]}
