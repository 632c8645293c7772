"""What the running processes may do in the databases: each table listed, nothing owned (PROTECT-2)."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models, router, transaction

READ_ONLY_TABLES = ("django_migrations",)
OWN_GRANTS = frozenset({"audit"})


def install_grants(using: str, **kwargs: Any) -> None:
    """After a migration: per-table rights for the runtime roles, and a refusing trigger on append-only tables.

    Runs as the owner of the tables; a role that is the owner itself (one-role set-ups) is left alone.
    """
    connection = connections[using]
    roles = [role for role in _runtime_roles(using) if role != connection.settings_dict["USER"]]
    existing = set(connection.introspection.table_names())
    # One transaction: a running site never meets a table without its rights, or an append-only one without its trigger.
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for role in roles:
            cursor.execute(f'GRANT USAGE ON SCHEMA public TO "{role}"')
        for model in _own_models(using):
            table = model._meta.db_table
            if table not in existing:
                continue
            append_only = getattr(model, "append_only", False)
            if append_only:
                _refuse_changes(cursor, table)
            rights = "SELECT, INSERT" if append_only else "SELECT, INSERT, UPDATE, DELETE"
            _grant(cursor, roles, table, rights)
        for table in existing.intersection(READ_ONLY_TABLES):
            _grant(cursor, roles, table, "SELECT")


def _runtime_roles(using: str) -> list[str]:
    roles = settings.VAULT_RUNTIME_ROLES if using == "vault" else settings.RUNTIME_ROLES
    return sorted({role for role in roles.values() if role})


def _own_models(using: str) -> list[type[models.Model]]:
    """Every table of this database but those whose app installs narrower rights itself."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
        and not model._meta.proxy
        and model._meta.app_label not in OWN_GRANTS
        and router.allow_migrate_model(using, model)
    ]


def _grant(cursor: Any, roles: list[str], table: str, rights: str) -> None:
    for role in roles:
        cursor.execute(f'REVOKE ALL ON "{table}" FROM "{role}"')
        cursor.execute(f'GRANT {rights} ON "{table}" TO "{role}"')


def _refuse_changes(cursor: Any, table: str) -> None:
    cursor.execute(
        """
        CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '42501'; END $$
        """
    )
    cursor.execute(f'DROP TRIGGER IF EXISTS append_only ON "{table}"')
    cursor.execute(
        f'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "{table}" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()'
    )
    cursor.execute(f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER append_only')
