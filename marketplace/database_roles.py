"""The login roles and databases of a PostgreSQL cluster, made once and made right each time.

Owners hold the tables and run migrations; runtime roles own nothing and may only connect, until
the grants per table are given after each migration. None is a superuser.
"""

from collections.abc import Mapping
from typing import Any

from psycopg2 import sql

MAIN_OWNER, MAIN_USERS = "market_owner", ("market_web", "market_worker")
VAULT_OWNER, VAULT_USERS = "vault_owner", ("vault_user",)
ROLES = (MAIN_OWNER, *MAIN_USERS, VAULT_OWNER, *VAULT_USERS)

MAIN_DATABASE, VAULT_DATABASE = "marketplace", "marketplace_vault"


def prepare_cluster(connection: Any, passwords: Mapping[str, str]) -> None:
    """Make the roles and the two databases that are missing. `connection` is a superuser's."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        for role in ROLES:
            make_role(cursor, role, passwords[f"{role.upper()}_PASSWORD"])
        make_database(cursor, MAIN_DATABASE, MAIN_OWNER, MAIN_USERS)
        make_database(cursor, VAULT_DATABASE, VAULT_OWNER, VAULT_USERS)


def make_role(cursor: Any, role: str, password: str) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    if cursor.fetchone():
        return
    cursor.execute(
        sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(password)
        )
    )


def make_database(cursor: Any, name: str, owner: str, users: tuple[str, ...]) -> None:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    if cursor.fetchone():
        return
    cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
    restrict_database(cursor, name, users)


def restrict_database(cursor: Any, name: str, users: tuple[str, ...]) -> None:
    """Only the database's own roles may connect; public may nothing."""
    cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    for user in users:
        cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(user)))
