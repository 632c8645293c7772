"""Accounts on the staff site: found by exact address, shown masked, changed by actions alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

import marketplace.accounts.dashboard
import marketplace.accounts.person_admin  # noqa: F401  both add what is theirs
from marketplace.accounts.actions import end_sessions, invite_staff, search_account
from marketplace.accounts.errors import AccountError, NotAllowed, TooManySearches
from marketplace.accounts.models import User
from marketplace.accounts.queries import invited_staff, staff_short_of_recovery_codes, staff_without_second_factor
from marketplace.accounts.staff_forms import InviteForm
from marketplace.accounts.staff_steps import STEPS, StaffStep
from privacy.access.admin import OpenableAdmin
from privacy.policy.admin import TOO_LATE, Button
from privacy.policy.roles import Actor, Role
from privacy.vault.records import PersonalRecord

ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
HELPERS = frozenset({Role.ADMINISTRATOR, Role.PRIVACY_OFFICER, Role.SUPPORT})


def step_button(step: StaffStep) -> Button:
    """Leads to the page that asks once; nothing happens before that."""
    return Button(
        name=step.name,
        label=step.label,
        does=step.does,
        action=_asks_first,
        roles=ADMINISTRATORS,
        when=step.is_possible,
        is_dangerous=step.is_dangerous,
    )


def _asks_first(actor: Actor, user: User) -> None:
    raise NotAllowed


def _end_sessions(actor: Actor, user: User) -> None:
    end_sessions(by=actor, user=user)


class StaffStateFilter(admin.SimpleListFilter):
    """What the dashboard counts."""

    title = _("needs")
    parameter_name = "needs"
    found: Mapping[str, tuple[Promise | str, Callable[[], QuerySet[User]]]] = {
        "answer": (_("an answer to the invitation"), invited_staff),
        "second-step": (_("a second step"), staff_without_second_factor),
        "recovery-codes": (_("recovery codes"), staff_short_of_recovery_codes),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, (label, _find) in self.found.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        chosen = self.found.get(self.value() or "")
        return queryset.filter(pk__in=chosen[1]().values("pk")) if chosen else queryset


@admin.register(User)
class UserAdmin(OpenableAdmin):
    viewers = HELPERS
    list_display = ["short_id", "role", "masked_email", "state", "second_step", "created_at"]
    list_filter = ["role", StaffStateFilter, "is_active"]
    list_select_related = ["details", "second_factor"]
    ordering = ["-id"]
    fields = ("id", "role", "state", "locale", "created_at", "confirmed_at", "closed_at", "second_step", "codes_left", "open_sessions")
    readonly_fields = fields
    buttons = (
        Button(
            name="end_sessions",
            label=_("End sessions"),
            does=_("Signs this person out on every browser."),
            action=_end_sessions,
            roles=HELPERS,
            when=lambda user: user.sessions.exists(),
            refusals=(NotAllowed,),
        ),
        *(step_button(step) for step in STEPS.values()),
    )

    @admin.display(description=_("account"), ordering="id")
    def short_id(self, user: User) -> str:
        """The random end of the id: enough to tell two rows of a page apart."""
        return user.pk.hex[-8:]

    @admin.display(description=_("email address"))
    def masked_email(self, user: User) -> Any:
        details = getattr(user, "details", None)
        return details.email if details else "—"

    @admin.display(description=_("state"))
    def state(self, user: User) -> Promise | str:
        if user.closed_at is not None:
            return _("closed")
        if user.is_invited:
            return _("invited")
        return _("open") if user.confirmed_at else _("mailbox not confirmed")

    @admin.display(description=_("second step"))
    def second_step(self, user: User) -> Promise | str:
        if not user.has_second_factor:
            return _("missing") if user.is_staff and user.closed_at is None else "—"
        return _("reset") if user.second_factor.reset_at else _("on")

    @admin.display(description=_("recovery codes left"))
    def codes_left(self, user: User) -> int:
        codes = getattr(user, "recovery_codes", None)
        return codes.codes_left if codes else 0

    @admin.display(description=_("open sessions"))
    def open_sessions(self, user: User) -> int:
        return user.sessions.count()

    def get_urls(self) -> list[URLPattern]:
        own = [path("invite/", self.admin_site.admin_view(self.invite_view), name="accounts_user_invite")]
        for step in STEPS.values():
            view = self.admin_site.admin_view(self.step_view)
            own.append(path(f"<uuid:user_id>/{step.name}/", view, {"name": step.name}, name=f"accounts_user_{step.name}"))
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Finding by address is a POST, because an address has no place in a URL."""
        if request.method == "POST" and "_find" in request.POST and self.has_view_permission(request):
            return self._find(request)
        return super().changelist_view(request, {"may_invite": self._role(request) in ADMINISTRATORS, **(extra_context or {})})

    def _find(self, request: HttpRequest) -> HttpResponse:
        try:
            user = search_account(by=request.actor, email=request.POST.get("email", ""))  # type: ignore[attr-defined]
        except TooManySearches as error:
            messages.error(request, str(error))
            return redirect("admin:accounts_user_changelist")
        if user is None:
            messages.warning(request, _("No open account has this address."))
            return redirect("admin:accounts_user_changelist")
        return redirect("admin:accounts_user_change", user.pk)

    def invite_view(self, request: HttpRequest) -> HttpResponse:
        """The same answer whether or not the address has an account: only its mailbox is told."""
        actor = self._administrator(request)
        form = InviteForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                user = invite_staff(by=actor, **form.cleaned_data)
            except NotAllowed as refusal:
                messages.error(request, str(refusal))
                return redirect("admin:accounts_user_changelist")
            messages.success(request, _("The invitation is on its way. It can be accepted for three days."))
            return redirect("admin:accounts_user_change", user.pk)
        context = {**self.admin_site.each_context(request), "title": _("Invite somebody to the staff"), "form": form}
        return render(request, "admin/accounts/user/invite.html", context, status=422 if form.errors else 200)

    def step_view(self, request: HttpRequest, user_id: UUID, name: str) -> HttpResponse:
        """Shows what the step will do, and asks once."""
        actor, step = self._administrator(request), STEPS[name]
        user = self.get_object(request, str(user_id))
        if user is None:
            raise Http404
        form = step.form(user, request.POST if request.method == "POST" else None)
        if not step.is_possible(user) or actor.is_subject(user.subject_id):
            messages.warning(request, TOO_LATE)
        elif request.method != "POST" or not form.is_valid():
            context = {**self.admin_site.each_context(request), "title": step.label, "step": step, "form": form, "account": user}
            return render(request, "admin/accounts/user/step.html", context, status=422 if form.errors else 200)
        else:
            self._take(request, step, user, form.cleaned_data)
        return redirect("admin:accounts_user_change", user.pk)

    def _take(self, request: HttpRequest, step: StaffStep, user: User, given: dict[str, Any]) -> None:
        try:
            step.take(by=request.actor, user=user, **given)  # type: ignore[attr-defined]
        except AccountError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Done: %(what)s.") % {"what": step.label})

    def _administrator(self, request: HttpRequest) -> Actor:
        if self._role(request) not in ADMINISTRATORS:
            raise PermissionDenied
        return request.actor  # type: ignore[attr-defined]

    def _press(self, request: HttpRequest, obj: Any) -> HttpResponse:
        step = STEPS.get(request.POST["_button"])
        if step is None or self._role(request) not in ADMINISTRATORS:
            return super()._press(request, obj)
        return redirect(f"admin:accounts_user_{step.name}", obj.pk)

    def case_context(self, request: HttpRequest, obj: User) -> dict[str, Any]:
        """Nobody is offered a step with their own account."""
        actor: Actor = request.actor  # type: ignore[attr-defined]
        is_own = actor.is_subject(obj.subject_id)
        offered = [button for button in self.buttons if button.is_offered(actor, obj)]
        return {
            **super().case_context(request, obj),
            "case_buttons": [button for button in offered if not (is_own and button.name in STEPS)],
        }

    def personal_records(self, obj: User) -> list[PersonalRecord]:
        details = getattr(obj, "details", None)
        return [details] if details else []
