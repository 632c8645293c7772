"""The login roles and databases of a PostgreSQL cluster, made once and made right each time.

Owners hold the tables and run migrations; runtime roles own nothing and may only connect, until
the grants per table are given after each migration. None is a superuser.
"""

import base64
from collections.abc import Mapping
from typing import Any

from psycopg2 import sql

from marketplace.environment import Environment
from privacy.wall.foundation import foundation
from privacy.wall.logins import Login

MAIN_OWNER = "market_owner"
MAIN_ROLES: dict[Login, str] = {login: f"market_{login}" for login in Login if login is not Login.OWNER}
MAIN_USERS = tuple(MAIN_ROLES.values())
VAULT_OWNER, VAULT_USERS = "vault_owner", ("vault_user",)
ROLES = (MAIN_OWNER, *MAIN_USERS, VAULT_OWNER, *VAULT_USERS)
FORMER_ROLES = ("market_web",)  # may hold rights still in databases of an earlier version

MAIN_DATABASE, VAULT_DATABASE = "marketplace", "marketplace_vault"
MAINTENANCE_DATABASES = ("postgres", "template1")  # open to everybody who may sign in, unless somebody closes them


def prepare_cluster(connection: Any, passwords: Mapping[str, str]) -> None:
    """Make the roles and the two databases that are missing. `connection` is a superuser's."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        for role in ROLES:
            make_role(cursor, role, passwords[f"{role.upper()}_PASSWORD"])
        for role in FORMER_ROLES:
            close_role(cursor, role)
        make_database(cursor, MAIN_DATABASE, MAIN_OWNER, MAIN_USERS)
        make_database(cursor, VAULT_DATABASE, VAULT_OWNER, VAULT_USERS)
        for database in MAINTENANCE_DATABASES:
            restrict_database(cursor, database, ())


def lay_foundation(connection: Any, database: str, signing_key: str) -> None:
    """Put into the main database what its owner may not. `connection` is a superuser's to that database."""
    text = foundation(
        database=database,
        owner=MAIN_OWNER,
        roles=MAIN_ROLES,
        key=base64.b64decode(signing_key),
        log_kept_years=Environment().audit_kept_years,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(text)


def allow_new_log(connection: Any) -> None:
    """Let the owner of the keys end the files of the write-ahead log. `connection` is a superuser's to the keys' database."""
    with connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("GRANT pg_checkpoint TO {}").format(sql.Identifier(VAULT_OWNER)))
        cursor.execute(sql.SQL("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {}").format(sql.Identifier(VAULT_OWNER)))


def make_role(cursor: Any, role: str, password: str) -> None:
    """An owner inherits: before PostgreSQL 16 it has a database's public schema through pg_database_owner alone."""
    if not exists(cursor, role):
        cursor.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
    inherits = "INHERIT" if role in (MAIN_OWNER, VAULT_OWNER) else "NOINHERIT"
    powers = f"NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS {inherits}"
    cursor.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(role), sql.SQL(powers)))


def close_role(cursor: Any, role: str) -> None:
    if exists(cursor, role):
        cursor.execute(sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(sql.Identifier(role)))


def exists(cursor: Any, role: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    return cursor.fetchone() is not None


def make_database(cursor: Any, name: str, owner: str, users: tuple[str, ...]) -> None:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    if not cursor.fetchone():
        cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
    restrict_database(cursor, name, users)


def restrict_database(cursor: Any, name: str, users: tuple[str, ...]) -> None:
    """Only the database's own roles may connect; public may nothing."""
    cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    for user in users:
        cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(user)))
