"""``manage.py sqlwall | psql``: what a superuser lays in the main database before its first migration (PROTECT-2)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from privacy.wall.foundation import foundation, key_id
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
        "It holds that key: pipe it to psql, keep it nowhere. Run it as the owner: MARKETPLACE_DB_ROLE=owner."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        database = settings.DATABASES["default"]
        if database["LOGIN"] != Login.OWNER:
            raise CommandError("Run this as the owner of the tables: set MARKETPLACE_DB_ROLE=owner.")
        key = settings.WALL_SIGNING_KEY
        text = foundation(database=database["NAME"], owner=database["USER"], roles=roles(), key=key)
        self.stdout.write(SCRIPT.format(foundation=text, key_id=key_id(key)))
