"""The card about the staff themselves, for those who can mend what it says."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.accounts.queries import invited_staff, staff_short_of_recovery_codes, staff_without_second_factor
from privacy.policy.dashboard import Card, Section, State, dashboard_card
from privacy.policy.roles import Actor, Role


@dashboard_card
def staff_accounts(actor: Actor) -> Card | None:
    if actor.role != Role.ADMINISTRATOR:
        return None
    locked_out, short = staff_without_second_factor().count(), staff_short_of_recovery_codes().count()
    return Card(
        Section.HEALTH,
        gettext_lazy("Staff who cannot get in"),
        locked_out,
        gettext_lazy("They have no second step that works, and wait for a mail or for you."),
        State.WATCH if locked_out or short else State.GOOD,
        reverse("admin:accounts_user_changelist") + "?needs=second-step",
        rows=[
            (_("invited, no answer yet"), invited_staff().count()),
            (_("without a second step"), locked_out),
            (_("fewer than three recovery codes"), short),
        ],
    )
