"""The register of recipients, for the privacy officer (USE-5)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from privacy.policy.admin import Button, RoleAdmin, SetFilter
from privacy.policy.roles import Role
from privacy.sharing.actions import confirm_follow_up
from privacy.sharing.models import Agreement, Disclosure, FollowUp, Recipient

OVERSIGHT = frozenset({Role.PRIVACY_OFFICER, Role.AUDITOR, Role.SECURITY})


@admin.register(Recipient)
class RecipientAdmin(RoleAdmin):
    viewers = OVERSIGHT
    list_display = ["name", "kind", "country"]
    exclude = ["webhook_secret"]


@admin.register(Agreement)
class AgreementAdmin(RoleAdmin):
    viewers = OVERSIGHT
    list_display = ["reference", "recipient", "starts_on", "ends_on"]
    list_select_related = ["recipient"]


@admin.register(Disclosure)
class DisclosureAdmin(RoleAdmin):
    """What went out, without a single value in it."""

    viewers = OVERSIGHT
    list_display = ["at", "recipient", "purpose", "categories", "case_label"]
    list_filter = ["recipient", "purpose"]
    list_select_related = ["recipient"]
    date_hierarchy = "at"


@admin.register(FollowUp)
class FollowUpAdmin(RoleAdmin):
    viewers = OVERSIGHT
    list_display = ["asked_at", "recipient", "kind", "confirmed_at"]
    list_filter = [("confirmed_at", SetFilter), "kind"]
    buttons = [
        Button(
            name="confirm",
            label=_("Recipient has confirmed"),
            does=_("Enters that the recipient told us it has done what we asked."),
            action=lambda by, obj: confirm_follow_up(by=by, follow_up=obj),
            roles=frozenset({Role.PRIVACY_OFFICER}),
            when=lambda obj: obj.confirmed_at is None,
        )
    ]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("recipient")
