"""``manage.py sqlwall | psql``: what a superuser lays in the main database before its first migration (PROTECT-2)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.keeping import opening_sql
from privacy.wall.foundation import foundation, key_id, quoted
from privacy.wall.logins import Login
from privacy.wall.shape import roles

SCRIPT = """BEGIN;
{foundation}COMMIT;
-- After a change of WALL_SIGNING_KEY, once every process has the new one:
-- DELETE FROM wall.signing_key WHERE id <> '{key_id}';
"""


class Command(BaseCommand):
    help = (
        "Print the SQL that a superuser runs once in the main database, and again after a change of WALL_SIGNING_KEY. "
        "It holds that key: pipe it to psql, keep it nowhere."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--open-log", action="store_true", help="print instead what opens the log's tables for one migration")

    def handle(self, *args: Any, open_log: bool = False, **options: Any) -> None:
        database = settings.DATABASES["default"]
        if database["LOGIN"] != Login.OWNER:
            raise CommandError("Run this as the owner of the tables: set MARKETPLACE_DB_ROLE=owner.")
        if open_log:
            self.stdout.write(opening_sql(owner=quoted(database["USER"])))
            return
        key = settings.WALL_SIGNING_KEY
        kept = settings.AUDIT_KEPT_YEARS
        text = foundation(database=database["NAME"], owner=database["USER"], roles=roles(), key=key, log_kept_years=kept)
        self.stdout.write(SCRIPT.format(foundation=text, key_id=key_id(key)))
