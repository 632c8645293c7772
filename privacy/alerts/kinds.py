"""What each kind of alert means, and what whoever looks at it does first (PROTECT-2, RIGHTS-9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.alerts.models import AlertKind
from privacy.policy.roles import Role

OF_SECURITY = frozenset({AlertKind.KEY_OVERDUE, AlertKind.KEY_RING_FAILED, AlertKind.VALUE_UNREADABLE, AlertKind.WALL_BREACHED})


@dataclass(frozen=True)
class Words:
    """For the alert's page: what was noticed, and what to do about it."""

    means: Promise
    do: Promise


_ASK = _("Look at their openings and the reasons they gave. Ask them, or the one they report to, before you judge.")

WORDS: Mapping[str, Words] = {
    AlertKind.VOLUME: Words(_("Somebody opened far more people within a day than they or their role usually do."), _ASK),
    AlertKind.HOURS: Words(_("Somebody opened people's data outside working time, at an hour at which they usually do not."), _ASK),
    AlertKind.SHARED_TRAIT: Words(
        _("Within a day somebody opened several people who have the same name. That can be a family that orders together, or curiosity."),
        _ASK,
    ),
    AlertKind.OWN_RECORD: Words(
        _("A member of staff opened the data of a customer who has the same name. It may be their own account, or a relative's."),
        _("Staff use the customer pages for their own data. Ask why they did not."),
    ),
    AlertKind.COLLEAGUE: Words(
        _("A member of staff opened the data of another member of staff."),
        _("Read the reason. Without a request of the colleague there is seldom a good one."),
    ),
    AlertKind.ENDED_CASE: Words(
        _("Somebody tried to open a person's data for a case that was over for them. It was refused."),
        _("Ask what they needed. If the case has more to it, it is reopened or a new one is begun."),
    ),
    AlertKind.OPENINGS_CLOSED: Words(
        _("Somebody opened as many people within an hour as their role may at most. They cannot open anybody since."),
        _("Talk to them. If they need it for their work, let them go on from the page of the closure; if not, they stay closed."),
    ),
    AlertKind.OPENING_UNJUSTIFIED: Words(
        _("A reviewer found no good reason for an opening. The customer can see that."),
        _("Decide whether it was a mistake or misuse. For misuse, see what else they opened, and whether a breach has to be reported."),
    ),
    AlertKind.BREAK_GLASS: Words(
        _("Somebody opened a person's data outside any case of theirs, and gave a written reason. The customer is told."),
        _("Read the reason now. The opening waits among the reviews."),
    ),
    AlertKind.KEY_OVERDUE: Words(
        _("A key has been in use for longer than its period."),
        _("Rotate it as the operations manual says. The site runs on meanwhile."),
    ),
    AlertKind.KEY_RING_FAILED: Words(
        _("The keys that lock the keys of people could not be used."),
        _("Check the key service and its credentials. Until it answers, nobody's data opens."),
    ),
    AlertKind.VALUE_UNREADABLE: Words(
        _("A stored value did not open: it was damaged, or moved from another place."),
        _("Compare the row with a backup, and look in the log for what last wrote it. Changed by hand, it is an attack."),
    ),
    AlertKind.WALL_BREACHED: Words(
        _("The database's own protection between customers is not as it was installed."),
        _("Treat it as an attack until you know better. Run the check again after each repair."),
    ),
}


def words_for(kind: str) -> Words | None:
    return WORDS.get(kind)


def role_for(kind: str) -> Role:
    """The role that looks after alerts of this kind."""
    return Role.SECURITY if kind in OF_SECURITY else Role.PRIVACY_OFFICER
