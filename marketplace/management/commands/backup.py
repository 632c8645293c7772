"""Writes a backup of the data and one of the keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.backups.errors import BackupFailed
from marketplace.backups.making import DATA, KEYS, make_backup


class Command(BaseCommand):
    help = "Back up the data and the keys, each into a directory of its own. Store them apart."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=Path, help="where the directories data-TIME and keys-TIME are made")
        parser.add_argument("--only", choices=(DATA, KEYS), help="back up this part alone")

    def handle(self, *args: Any, **options: Any) -> None:
        parts = (options["only"],) if options["only"] else (DATA, KEYS)
        try:
            make_backup(options["target"], parts, self.stdout.write)
        except BackupFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write("The key-encryption keys and the other secrets are in neither; see docs/operations.md.")
