"""Fresh databases for one run, made by the owner and used as the worker."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import rmtree

from django.conf import settings
from psycopg2 import sql

from marketplace.database_roles import MAIN_DATABASE, VAULT_DATABASE, allow_new_log, lay_foundation, prepare_cluster
from marketplace.embedded import HURRIED_CONFIGURATION, Lease


@contextmanager
def fresh_databases() -> Iterator[None]:
    rmtree(Path(settings.STATE) / "log", ignore_errors=True)  # of the databases before, which these would seem to roll back
    with Lease(settings.STATE, durable=False) as servers:
        with closing(servers.connect()) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for name in (MAIN_DATABASE, VAULT_DATABASE):
                    cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            prepare_cluster(connection, servers.secrets)
        with closing(servers.connect(MAIN_DATABASE)) as connection:
            lay_foundation(connection, MAIN_DATABASE, servers.secrets["WALL_SIGNING_KEY"])
        with closing(servers.connect(VAULT_DATABASE)) as connection:
            allow_new_log(connection)
        for database in ("vault", "default"):
            _migrate(database)
        yield


@contextmanager
def commits_on_disk() -> Iterator[None]:
    """Servers as a site has them, whose commits wait for the disk; the others measure without that."""
    _configure("RESET {}")
    try:
        yield
    finally:
        _configure("SET {} = {}")


def _configure(how: str) -> None:
    with Lease(settings.STATE, durable=False) as servers, closing(servers.connect()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for name, value in HURRIED_CONFIGURATION.items():
                cursor.execute(sql.SQL(f"ALTER SYSTEM {how}").format(sql.Identifier(name), sql.Literal(value)))
            cursor.execute("SELECT pg_reload_conf()")


def analyze() -> None:
    """What autovacuum does on a site: it is off here, and the log belongs to a role that nobody logs in as."""
    with Lease(settings.STATE, durable=False) as servers, closing(servers.connect(MAIN_DATABASE)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _migrate(database: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--skip-checks", "--verbosity", "0", "--database", database],
        env={**os.environ, "MARKETPLACE_DB_ROLE": "owner"},
        cwd=settings.BASE_DIR,
        check=True,
    )
