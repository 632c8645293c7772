"""Keeps USE-3: anyone who runs the system can verify the log by hand."""

from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actions import Job, Kind, verify_log
from audit.models import Checkpoint, Verification


class Command(BaseCommand):
    help = (
        "Verify the log: all of it, what is new since it last held, or one month. Names the first entry that was changed, removed, "
        "inserted or moved, and exits with 1 when the log does not hold, with 2 when it could not be asked for so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        stretch = parser.add_mutually_exclusive_group()
        stretch.add_argument("--since-last", action="store_true", help="only from the last checkpoint that held")
        stretch.add_argument("--month", metavar="YYYY-MM", help="only the entries of this month (UTC)")
        parser.add_argument("--quiet", action="store_true", help="print the result alone")

    def handle(self, *args: Any, since_last: bool, month: str | None, quiet: bool = False, **options: Any) -> None:
        kind = Kind.SINCE_LAST if since_last else Kind.MONTH if month else Kind.FULL
        day = _first_day(month) if month else None
        verification = verify_log(by=Job("verify_audit"), kind=kind, month=day, progress=None if quiet else self._show)
        self._tell(verification)
        if verification.result == Verification.Result.FAILED:
            raise CommandError(f"The log does not hold: {verification.finding}", returncode=1)
        self.stdout.write("The log holds.")

    def _tell(self, found: Verification) -> None:
        left = f"{found.erased} of erased people, {found.retired} of retired months"
        self.stdout.write(f"{found.entries} entries from {found.first_index} on ({left}) and {found.checkpoints} checkpoints verified")
        held = Checkpoint.objects.filter(size=found.held_size).first()
        if held:
            self.stdout.write(f"Every checkpoint up to {held.size} entries holds (signed {held.signed_at:%Y-%m-%d %H:%M} UTC).")

    def _show(self, done: int, total: int) -> None:
        share = 100 if done == total else 100 * done // total
        is_live = self.stderr.isatty()
        if is_live or share == 100:
            self.stderr.write(f"{done}/{total} ({share} %)", ending="\n" if share == 100 else "\r")


def _first_day(month: str) -> date:
    try:
        return datetime.strptime(month, "%Y-%m").date()  # noqa: DTZ007 - a month of the calendar
    except ValueError:
        raise CommandError(f"{month} is no month: write it as 2026-10", returncode=2) from None
