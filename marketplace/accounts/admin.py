"""Accounts on the staff site: found by exact address, shown masked, changed by actions alone."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.actions import change_role, end_sessions, search_account
from marketplace.accounts.errors import NotAllowed, TooManySearches
from marketplace.accounts.models import User
from privacy.access.admin import OpenableAdmin
from privacy.policy.admin import Button
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.vault.records import PersonalRecord

ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
HELPERS = frozenset({Role.ADMINISTRATOR, Role.PRIVACY_OFFICER, Role.SUPPORT})


def role_button(role: Role) -> Button:
    def appoint(actor: Actor, user: User) -> None:
        change_role(by=actor, user=user, role=role)

    return Button(
        name=f"appoint_{role}",
        label=_("Give the role: %(role)s") % {"role": role.label},
        does=_("Changes what this person may see and do, and signs them out everywhere."),
        action=appoint,
        roles=ADMINISTRATORS,
        when=lambda user: user.is_staff and user.is_active and user.role != role,
        refusals=(NotAllowed,),
    )


def _end_sessions(actor: Actor, user: User) -> None:
    end_sessions(by=actor, user=user)


@admin.register(User)
class UserAdmin(OpenableAdmin):
    viewers = HELPERS
    list_display = ["short_id", "role", "masked_email", "is_active", "created_at", "confirmed_at"]
    list_filter = ["role", "is_active"]
    list_select_related = ["details"]
    ordering = ["-id"]
    fields = ("id", "role", "is_active", "locale", "created_at", "confirmed_at", "closed_at", "open_sessions")
    readonly_fields = ("id", "role", "is_active", "locale", "created_at", "confirmed_at", "closed_at", "open_sessions")
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
        *(role_button(role) for role in Role if role in STAFF_ROLES),
    )

    @admin.display(description=_("account"), ordering="id")
    def short_id(self, user: User) -> str:
        """The random end of the id: enough to tell two rows of a page apart."""
        return user.pk.hex[-8:]

    @admin.display(description=_("email address"))
    def masked_email(self, user: User) -> Any:
        details = getattr(user, "details", None)
        return details.email if details else "—"

    @admin.display(description=_("open sessions"))
    def open_sessions(self, user: User) -> int:
        return user.sessions.count()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Finding by address is a POST, because an address has no place in a URL."""
        if request.method == "POST" and "_find" in request.POST and self.has_view_permission(request):
            return self._find(request)
        return super().changelist_view(request, extra_context)

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

    def personal_records(self, obj: User) -> list[PersonalRecord]:
        details = getattr(obj, "details", None)
        return [details] if details else []
