"""What the running processes may do in the keys' database, and a trigger where rows may only be added (PROTECT-2).

The rights in the main database follow from ``privacy.wall``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper

from privacy.vault.clearing import CLEARED, install_clearing
from privacy.vault.floor import install_key_floor
from privacy.vault.models import KeyChange
from privacy.vault.patience import patiently
from privacy.vault.triggers import install_trigger

KEY_DATABASE = "vault"
OWN_TRIGGERS = frozenset({"audit"})
CLEANED_AT_ONCE = ["autovacuum_vacuum_threshold=0", "autovacuum_vacuum_scale_factor=0"]


def install_grants(using: str, **kwargs: Any) -> None:
    """After a migration: per-table rights for the roles that use the keys, and a refusing trigger on append-only tables.

    Runs as the owner of the tables; a role that is the owner itself (one-role set-ups) is left alone. In one transaction: a
    running site never meets a table without its rights, or an append-only one without its trigger. Raises TablesBusy.
    """
    patiently(using, partial(_install, connections[using]))


def _install(connection: BaseDatabaseWrapper, cursor: Any) -> None:
    existing, using = set(connection.introspection.table_names(cursor)), connection.alias
    tables = {model._meta.db_table for model in append_only_models(using)}
    for table in sorted(existing & tables):
        _refuse_changes(cursor, table)
    if using == KEY_DATABASE:
        owner = connection.settings_dict["USER"]
        logins = {process: role for process, role in settings.VAULT_RUNTIME_ROLES.items() if role and role != owner}
        roles = set(logins.values())
        _grant_keys(cursor, roles, existing)
        install_clearing(cursor, roles)
        if KeyChange._meta.db_table in existing:
            install_key_floor(cursor, logins, owner)


def append_only_models(using: str) -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models()
        if getattr(model, "append_only", False) and model._meta.app_label not in OWN_TRIGGERS and router.allow_migrate_model(using, model)
    ]


def _grant_keys(cursor: Any, roles: Iterable[str], existing: set[str]) -> None:
    for role in roles:
        cursor.execute(f'GRANT USAGE ON SCHEMA public TO "{role}"')
        for model in apps.get_models():
            table = model._meta.db_table
            if table in existing and router.allow_migrate_model(KEY_DATABASE, model):
                cursor.execute(f'REVOKE ALL ON "{table}" FROM "{role}"')
                rights = "SELECT, INSERT" if getattr(model, "append_only", False) else "SELECT, INSERT, UPDATE, DELETE"
                cursor.execute(f'GRANT {rights} ON "{table}" TO "{role}"')
        cursor.execute(f'GRANT SELECT ON django_migrations TO "{role}"')
        cursor.execute(f'GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO "{role}"')  # for a backup
    for table in sorted(existing.intersection(model._meta.db_table for model in CLEARED)):
        cursor.execute("SELECT reloptions @> %s FROM pg_class WHERE oid = %s::regclass", [CLEANED_AT_ONCE, table])
        if cursor.fetchone() != (True,):
            cursor.execute(f'ALTER TABLE "{table}" SET ({", ".join(CLEANED_AT_ONCE)})')


def _refuse_changes(cursor: Any, table: str) -> None:
    cursor.execute(
        """
        CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '42501'; END $$
        """
    )
    once = f'BEFORE UPDATE OR DELETE OR TRUNCATE ON "{table}" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()'
    install_trigger(cursor, table, "append_only", once)
