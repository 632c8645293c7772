"""The exceptions to the matrix, in force and over (PROTECT-3)."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.admin import AsksFirst
from privacy.access.overrides.actions import ENDS_EARLY, end_override
from privacy.access.overrides.errors import OverrideOver
from privacy.access.overrides.models import MatrixOverride
from privacy.access.registrations import MATRIX_OVERRIDE
from privacy.policy.admin import Button
from privacy.policy.roles import STAFF_ROLES


@admin.register(MatrixOverride)
class MatrixOverrideAdmin(AsksFirst):
    viewers = STAFF_ROLES
    asks_for = MATRIX_OVERRIDE
    list_display = ["role", "purpose", "shown_categories", "begins_at", "ends_at"]
    list_filter = ["role", "purpose"]
    ordering = ["-begins_at"]
    fields = ["role", "purpose", "shown_categories", "begins_at", "ends_at", "proposal"]
    readonly_fields = ["shown_categories"]
    buttons = [
        Button(
            name="end",
            label=_("End it now"),
            does=_("From the next look on, the matrix alone holds again."),
            action=lambda actor, override: end_override(by=actor, override=override),
            roles=ENDS_EARLY,
            when=lambda override: override.is_in_force,
            refusals=(OverrideOver,),
        )
    ]

    @admin.display(description=_("kinds of data"))
    def shown_categories(self, override: MatrixOverride) -> str:
        return ", ".join(override.category_labels)
