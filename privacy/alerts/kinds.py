"""What each kind of alert means, and what whoever looks at it does first (PROTECT-2, RIGHTS-9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.alerts.models import AlertKind
from privacy.policy.roles import Role

OF_SECURITY = frozenset(
    {
        AlertKind.KEY_OVERDUE,
        AlertKind.KEY_LOG_KEPT,
        AlertKind.KEY_RING_FAILED,
        AlertKind.VALUE_UNREADABLE,
        AlertKind.WALL_BREACHED,
        AlertKind.LOG_UNPUBLISHED,
        AlertKind.LOG_CONTRADICTED,
        AlertKind.UNATTRIBUTED_CHANGE,
        AlertKind.LOG_MONTHS_LATE,
        AlertKind.LOG_FAILED,
        AlertKind.LOG_UNVERIFIED,
        AlertKind.LOG_WAITING,
    }
)


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
        _(
            "Within a day somebody read several people who have the same family name or live in the same street. "
            "That can be a family that orders together, or curiosity."
        ),
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
    AlertKind.KEY_LOG_KEPT: Words(
        _("The server of the keys keeps old files of its write-ahead log. Keys that were destroyed can be found in them."),
        _("Set it up as the operations manual says under “How long a destroyed key can still be found”, and delete the old files."),
    ),
    AlertKind.KEY_RING_FAILED: Words(
        _("The keys that lock the keys of people could not be used."),
        _("Check the key service and its credentials. Until it answers, nobody's data opens."),
    ),
    AlertKind.VALUE_UNREADABLE: Words(
        _("A stored value did not open: it was damaged, or moved from another place."),
        _("Compare the row with a backup, and look in the log for what last wrote it. Changed by hand, it is an attack."),
    ),
    AlertKind.LOG_UNPUBLISHED: Words(
        _("A place outside, where our checkpoints are kept, has not had the newest one for a while."),
        _("See which on the dashboard’s card and why, and repair it. Until then the log is watched by fewer."),
    ),
    AlertKind.LOG_CONTRADICTED: Words(
        _("A place outside holds a checkpoint that we signed and that our log does not have. Nothing more is signed."),
        _("An older database was restored, or somebody changed the log. Find the right database before anything else is done."),
    ),
    AlertKind.WALL_BREACHED: Words(
        _("The database's own protection between customers is not as it was installed."),
        _("Treat it as an attack until you know better. Run the check again after each repair."),
    ),
    AlertKind.UNATTRIBUTED_CHANGE: Words(
        _("Rows about people were written, changed or deleted in the database, and nothing in the program recorded why."),
        _(
            "The entry says whose, in which table and by which database role. Ask who worked in the database then. "
            "If nobody did, treat it as an attack."
        ),
    ),
    AlertKind.LOG_MONTHS_LATE: Words(
        _("The job that prepares the log's coming months has not done so for weeks. Without a month, nothing can be recorded or done."),
        _("Run manage.py migrate, which prepares them, too. Then find out why the job does not run."),
    ),
    AlertKind.LOG_FAILED: Words(
        _("A verification found an entry of the log changed, removed, inserted or moved, or a checkpoint damaged."),
        _("Read the finding among the verifications. Keep the database as it is: compare it with a backup, and treat it as an attack."),
    ),
    AlertKind.LOG_UNVERIFIED: Words(
        _("What is new in the log is verified each hour and the whole log each night. One of the two has not happened."),
        _("See whether the worker and the timetable run. Then run manage.py verify_audit by hand."),
    ),
    AlertKind.LOG_WAITING: Words(
        _("Entries have waited for minutes to be bound into the signed log. Until then a change to them leaves no trace."),
        _("See whether the worker runs, and whether a transaction has been open for long. The worker's own log says what it refused."),
    ),
}


def words_for(kind: str) -> Words | None:
    return WORDS.get(kind)


def role_for(kind: str) -> Role:
    """The role that looks after alerts of this kind."""
    return Role.SECURITY if kind in OF_SECURITY else Role.PRIVACY_OFFICER
