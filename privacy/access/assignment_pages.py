"""Take, give and hand back on the staff's pages, the same for every kind of case (PROTECT-3, RIGHTS-7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.access.admin import OpenableAdmin
from privacy.access.assignment import NotTheirWork, TakenMeanwhile, colleague_label, colleagues, require_as_seen
from privacy.access.forms import StrictForm
from privacy.policy.admin import TOO_LATE, Button
from privacy.policy.dashboard import Card, Section, State
from privacy.policy.roles import Actor, Role

GIVE_PANEL = "admin/give_form.html"


def with_mine(cases: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Each with ``is_mine``: whether this member of staff has it."""
    return cases.annotate(is_mine=Case(When(assigned_to=actor.id, then=Value(True)), default=Value(False)))


def assignment_buttons(
    *, take: Callable[[Actor, Any], object], release: Callable[[Actor, Any], object], roles: frozenset[Role], refusal: type[Exception]
) -> list[Button]:
    return [
        Button(
            name="take",
            label=_("Take it"),
            does=_("Puts it on your list. Others see that somebody works on it, and so does the customer."),
            action=take,
            roles=roles,
            when=lambda case: case.is_in_work and case.assigned_to_id is None,
            refusals=(refusal, TakenMeanwhile),
        ),
        Button(
            name="take_over",
            label=_("Take it over"),
            does=_("A colleague has it now. Takes it off their list and puts it on yours; then its details open to you alone."),
            action=take,
            roles=roles,
            when=lambda case: case.is_in_work and case.assigned_to_id is not None and not case.is_mine,
            refusals=(refusal, TakenMeanwhile),
        ),
        Button(
            name="release",
            label=_("Give it back"),
            does=_("Takes it off the list of whoever has it now, so that anybody can take it."),
            action=release,
            roles=roles,
            when=lambda case: case.is_in_work and case.assigned_to_id is not None,
            refusals=(refusal, TakenMeanwhile),
        ),
    ]


class AssignedFilter(admin.SimpleListFilter):
    title = _("assigned to")
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("me", _("me")), ("nobody", _("nobody")), ("others", _("somebody else"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        me = request.actor.id  # type: ignore[attr-defined]
        wanted = {
            "me": Q(assigned_to=me),
            "nobody": Q(assigned_to=None),
            "others": Q(assigned_to__isnull=False) & ~Q(assigned_to=me),
        }
        return queryset.filter(wanted.get(str(self.value()), Q()))


class GiveForm(StrictForm):
    """Which colleague is to have it; ``seen`` is who had it on the page that was shown."""

    agent = forms.TypedChoiceField(label=_("Colleague"), coerce=UUID)
    seen = forms.UUIDField(required=False, widget=forms.HiddenInput)
    submit_names = frozenset({"_give"})

    def __init__(self, staff: Iterable[tuple[UUID, Role]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agent"].choices = [(str(id), colleague_label(id, role)) for id, role in staff]  # type: ignore[attr-defined]


class AssignedAdmin(OpenableAdmin):
    """The page of a case that one member of staff can have."""

    own_forms = OpenableAdmin.own_forms | {"_give"}
    refusal: ClassVar[type[Exception]]

    def workers_of(self, obj: Any) -> frozenset[Role]:
        """The roles that do this work."""
        raise NotImplementedError

    def give(self, by: Actor, obj: Any, agent: UUID) -> object:
        """The room's action. Raises ``refusal``, NotTheirWork."""
        raise NotImplementedError

    @admin.display(description=_("assigned to"))
    def shown_agent(self, obj: Any) -> Promise | str:
        return _("me") if obj.is_mine else _("somebody else") if obj.assigned_to_id else "–"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id) if request.method == "POST" and "_give" in request.POST else None
        if obj is None or not self.has_view_permission(request, obj):
            return super().change_view(request, object_id, form_url, extra_context)
        form = self._give_form(request, obj, request.POST)
        if form is None:
            raise PermissionDenied
        if form.is_valid() and self._is_given(request, obj, form):
            return HttpResponseRedirect(request.path)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "give_form": form})

    def case_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        give_form = self._give_form(request, obj)
        return {**super().case_context(request, obj), "case": obj, "seen": obj.assigned_to_id, "give_form": give_form}

    def _press(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """A page that said otherwise who has the case acts on nothing, and hears who took it."""
        actor: Actor = request.actor  # type: ignore[attr-defined]
        roles = self.workers_of(obj)
        obj.seen_holder = _seen(request)
        try:
            if actor.role in roles:
                require_as_seen(obj, actor, obj.seen_holder, roles)
        except TakenMeanwhile as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.path)
        return super()._press(request, obj)

    def _give_form(self, request: HttpRequest, obj: Any, *data: Any) -> GiveForm | None:
        """For whoever does this work, while there is something to do."""
        actor: Actor = request.actor  # type: ignore[attr-defined]
        roles = self.workers_of(obj)
        return GiveForm(colleagues(actor, roles), *data) if obj.is_in_work and actor.role in roles else None

    def _is_given(self, request: HttpRequest, obj: Any, form: GiveForm) -> bool:
        obj.seen_holder = form.cleaned_data["seen"]
        try:
            self.give(request.actor, obj, form.cleaned_data["agent"])  # type: ignore[attr-defined]
        except (self.refusal, NotTheirWork, TakenMeanwhile) as refusal:
            form.add_error(None, str(refusal) or TOO_LATE)
            return False
        messages.success(request, _("Given to your colleague, who finds it on their list."))
        return True


def _seen(request: HttpRequest) -> UUID | None:
    """Who had the case on the page that was shown."""
    with suppress(ValueError):
        return UUID(request.POST.get("seen", ""))
    return None


def assignment_card(title: str | Promise, cases: QuerySet[Any], actor: Actor, address: str) -> Card:
    """Of these cases in work those that the actor has, and those that nobody has."""
    mine, free = cases.filter(assigned_to=actor.id).count(), cases.filter(assigned_to=None).count()
    text = _("Yours: %(mine)d. Nobody's: %(free)d.") % {"mine": mine, "free": free}
    state = State.WATCH if mine or free else State.GOOD
    return Card(Section.NEEDS_YOU, title, mine + free, text, state, f"{address}?assigned={'me' if mine else 'nobody'}")
