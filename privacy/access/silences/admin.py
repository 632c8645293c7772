"""What is withheld from whom, until when, in force and over (USE-3)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.admin import AsksFirst
from privacy.access.silences.actions import RELEASES, release_silence
from privacy.access.silences.errors import SilenceOver
from privacy.access.silences.links import entry_links
from privacy.access.silences.models import Silence
from privacy.access.silences.registrations import SILENCE
from privacy.policy.admin import Button, SetFilter
from privacy.policy.roles import Role


@admin.register(Silence)
class SilenceAdmin(AsksFirst):
    viewers = frozenset({Role.PRIVACY_OFFICER, Role.SECURITY, Role.AUDITOR, Role.ADMINISTRATOR})
    asks_for = SILENCE
    list_display = ["ground", "begun_at", "until", "released_at"]
    list_filter = ["ground", ("released_at", SetFilter)]
    ordering = ["-begun_at"]
    fields = ["person", "ground", "begun_at", "until", "released_at", "released_by", "proposal"]
    readonly_fields = ["person"]
    buttons = [
        Button(
            name="release",
            label=_("Let the person read them now"),
            does=_("The entries appear on the person's page at once. It cannot be taken back."),
            action=lambda actor, silence: release_silence(by=actor, silence=silence),
            roles=RELEASES,
            when=lambda silence: silence.is_in_force,
            refusals=(SilenceOver,),
            is_dangerous=True,
        )
    ]

    @admin.display(description=_("person"))
    def person(self, silence: Silence) -> str:
        return str(silence.subject_id)

    def case_context(self, request: HttpRequest, obj: Silence) -> dict[str, Any]:
        return {
            **super().case_context(request, obj),
            "silence": obj,
            "withheld": entry_links(obj.entries.values_list("entry_id", flat=True)),
            "case_panels": ["admin/privacy/silence/panel.html"],
        }
