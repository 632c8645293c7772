"""Puts backups back into empty databases, and erases again what was erased since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.backups.errors import RestoreRefused
from marketplace.backups.making import DATA, KEYS
from marketplace.backups.postgres import ProgramFailed
from marketplace.backups.restoring import restore_backup


class Command(BaseCommand):
    help = "Restore backups made by manage.py backup, with the site stopped; the log is verified at the end."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, help="a directory data-TIME")
        parser.add_argument("--keys", type=Path, help="a directory keys-TIME")
        parser.add_argument("--ledger", type=Path, action="append", default=[], help="a newer copy of the erasure ledger; may be repeated")
        parser.add_argument(
            "--epochs", type=Path, action="append", default=[], help="epoch-secrets.json, where it does not lie beside the keys"
        )
        parser.add_argument("--replace", action="store_true", help="throw away what is in the databases")

    def handle(self, *args: Any, **options: Any) -> None:
        parts = {part: options[part] for part in (KEYS, DATA) if options[part]}
        if not parts:
            raise CommandError("Say what to restore: --data, --keys or both.")
        try:
            verification = restore_backup(
                parts, ledgers=options["ledger"], secrets=options["epochs"], replace=options["replace"], say=self.stdout.write
            )
        except (RestoreRefused, ProgramFailed) as error:
            raise CommandError(str(error)) from error
        if verification.result != verification.Result.OK:
            raise CommandError(f"Restored, but the log does not verify: {verification.finding}")
        self.stdout.write(f"Restored. The log verifies: {verification.entries} entries.")
