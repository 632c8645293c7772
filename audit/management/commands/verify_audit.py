"""Keeps USE-3: anyone who runs the system can verify the log by hand."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actions import Job, verify_log
from audit.models import Verification


class Command(BaseCommand):
    help = "Verify the whole log; name the first bad entry and exit with 1 when it does not hold."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="print the result alone")

    def handle(self, *args: Any, quiet: bool = False, **options: Any) -> None:
        verification = verify_log(by=Job("verify_audit"), progress=None if quiet else self._show)
        self.stdout.write(
            f"{verification.entries} entries ({verification.erased} of erased people) and {verification.checkpoints} checkpoints verified"
        )
        if verification.result == Verification.Result.FAILED:
            raise CommandError(f"The log does not hold: {verification.finding}", returncode=1)
        self.stdout.write("The log holds.")

    def _show(self, done: int, total: int) -> None:
        share = 100 if done == total else 100 * done // total
        is_live = self.stderr.isatty()
        if is_live or share == 100:
            self.stderr.write(f"{done}/{total} ({share} %)", ending="\n" if share == 100 else "\r")
