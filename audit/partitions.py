"""Keeps USE-3 and CHANGE-3: the log is kept by months, made ahead of time, which leave whole when the log's own lifetime is over.

The database's functions (`audit.keeping`) make and drop them; nobody else can.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit.actions import integrate_entries, verify_log
from audit.events import Event
from audit.identifiers import moment_of, uuid7
from audit.models import Retirement, Verification
from audit.record import By, Reference, record

MADE_AHEAD = timedelta(days=32)  # of the two months ahead one is left when the job has failed for a month
_MONTHS = "SELECT name, first_id, end_id, is_closed FROM wall.log_months()"


@dataclass(frozen=True, slots=True)
class Month:
    """A part of the log. Entries whose ids were made from `start` up to, not including, `end` are in it."""

    name: str
    first_id: UUID
    end_id: UUID
    is_closed: bool

    @property
    def start(self) -> datetime:
        return moment_of(self.first_id)

    @property
    def end(self) -> datetime:
        return moment_of(self.end_id)

    @property
    def leaves_at(self) -> datetime:
        return self.end + relativedelta(years=settings.AUDIT_KEPT_YEARS)


def months() -> list[Month]:
    """The months that are there, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS)
        return [Month(*row) for row in cursor.fetchall()]


@transaction.atomic
def make_months() -> int:
    """Make the months up to two ahead, and close those that are over; return how many were made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT wall.make_log_months()")
        made: int = cursor.fetchone()[0]
    return made


def are_months_late() -> bool:
    """Whether entries will soon find no month to go into."""
    newest = max((month.end for month in months()), default=datetime.min.replace(tzinfo=UTC))
    return newest < timezone.now() + MADE_AHEAD


def retire_months(*, by: By) -> list[Retirement]:
    """Let go of the months that are past the log's lifetime; return what left. Their leaves stay.

    Only from a log that holds: it is integrated and verified first, whole. Each month goes in a transaction of its
    own, with its entry; the database refuses one that is younger, or has entries outside the tree.
    """
    due = [month for month in months() if month.leaves_at <= timezone.now()]
    if not due:
        return []
    integrate_entries()
    if verify_log(by=by).result != Verification.Result.OK:
        return []
    return [_retire(month, by) for month in due]


@transaction.atomic
def _retire(month: Month, by: By) -> Retirement:
    id = uuid7()
    with connection.cursor() as cursor:
        cursor.execute("SELECT wall.retire_log_month(%s, %s)", [id, month.name])
    retirement = Retirement.objects.get(pk=id)
    record(Event.LOG_MONTH_RETIRED, by=by, object=Reference.to(retirement))
    return retirement
