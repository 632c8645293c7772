"""After each migration: whoever reads a table reads it through the wall, by the rights declared and no others (PROTECT-2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from audit.grants import keep_log, require_open
from privacy.vault.patience import patiently
from privacy.wall.catalog import standing_shapes
from privacy.wall.decisions import decided_triggers, install_decisions
from privacy.wall.errors import FoundationMissing, RoleShared
from privacy.wall.floor import floor_triggers
from privacy.wall.foundation import quoted
from privacy.wall.shape import Link, Policy, Right, Shape, roles, wanted_shapes
from privacy.wall.triggers import Trigger, install_triggers, trigger_differences

EXISTING = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')"


def refuse_undeclared(*, using: str, **kwargs: Any) -> None:
    """Before a migration: nothing is made while a model keeps silent. Raises Undeclared."""
    if using == "default":
        wanted_shapes()


def install_wall(*, using: str, **kwargs: Any) -> None:
    """Change what stands otherwise than declared, in one transaction, as the owner of the tables; else do nothing.

    A running site never meets a table without its wall. Raises RoleShared, FoundationMissing, TablesBusy and, where
    a table of the log would have to change, LogKept.
    """
    if using != "default":
        return
    patiently(using, _install)


def _install(cursor: Any) -> None:
    require_own_roles(cursor)
    require_foundation(cursor)
    cursor.execute(EXISTING)
    existing = {name for (name,) in cursor.fetchall()}
    for table, shape, standing in differences(cursor):
        if table in existing:
            require_open(cursor, table)
            for statement in statements(table, shape, standing):
                cursor.execute(statement)
    install_decisions(cursor)
    install_triggers(cursor, wanted_triggers(), existing)
    keep_log(cursor)


def require_own_roles(cursor: Any) -> None:
    cursor.execute("SELECT current_user")
    everybody = [*cursor.fetchone(), *roles().values()]
    if len(set(everybody)) < len(everybody):
        raise RoleShared("Each login needs a role of its own: two of DATABASE_OWNER_URL, DATABASE_URL, DATABASE_…_URL name the same.")


def require_foundation(cursor: Any) -> None:
    cursor.execute("SELECT to_regprocedure('wall.current_subject()')")
    if cursor.fetchone()[0] is None:
        raise FoundationMissing("The database has no wall yet. Its superuser lays the foundation once: manage.py sqlwall | psql")


def differences(cursor: Any) -> list[tuple[str, Shape, Shape]]:
    """Each table that stands otherwise than declared: its name, how it should and how it does. Empty where all is well."""
    wanted, standing = wanted_shapes(), standing_shapes(cursor)
    tables = sorted(wanted.keys() | standing.keys())
    pairs = [(table, wanted.get(table, Shape()), standing.get(table, Shape())) for table in tables]
    return [(table, should, does) for table, should, does in pairs if should != does]


def wanted_triggers() -> set[Trigger]:
    return floor_triggers() | decided_triggers()


def loose_triggers(cursor: Any) -> set[Trigger]:
    """Those that stand otherwise than declared. Empty where all is well."""
    return trigger_differences(cursor, wanted_triggers())


@contextmanager
def without_wall(schema_editor: BaseDatabaseSchemaEditor, *tables: str) -> Iterator[None]:
    """For a data migration: inside, the owner sees every row of these tables.

    Without it the owner sees none, and an UPDATE changes none, silently. Use it in an atomic migration: the tables
    are locked until its end, so that nobody else meets them unwalled. A change of which it records no entry is
    recorded as unattributed, here and not at the end: a table with triggers to come cannot be altered.
    """
    for table in tables:
        schema_editor.execute(f"ALTER TABLE {quoted(table)} NO FORCE ROW LEVEL SECURITY")
    yield
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        schema_editor.execute(f"ALTER TABLE {quoted(table)} FORCE ROW LEVEL SECURITY")


# The statements


def statements(table: str, shape: Shape, standing: Shape) -> Iterator[str]:
    """From one shape to the other: rights are taken first and given last."""
    if shape.rights != standing.rights:
        yield from taken(table, standing.rights)
    if shape.policies != standing.policies:
        yield from walled(table, shape.policies)
    for link in shape.links - standing.links:
        yield from linked(table, link)
    if shape.rights != standing.rights:
        yield from given(table, shape.rights)


def taken(table: str, rights: Iterable[Right]) -> Iterator[str]:
    """Taking all from a table takes the rights on its columns, too."""
    for role in sorted({right.role for right in rights}):
        yield f"REVOKE ALL ON {quoted(table)} FROM {role_name(role)}"


def given(table: str, rights: Iterable[Right]) -> Iterator[str]:
    by_role: dict[str, list[str]] = defaultdict(list)
    for role, privilege, column in sorted(rights):
        by_role[role].append(f"{privilege} ({quoted(column)})" if column else privilege)
    for role, privileges in by_role.items():
        yield f"GRANT {', '.join(privileges)} ON {quoted(table)} TO {role_name(role)}"


def walled(table: str, policies: Iterable[Policy]) -> Iterator[str]:
    name = quoted(table)
    yield DROP_POLICIES.format(name.replace("'", "''"))
    yield f"ALTER TABLE {name} {'ENABLE' if policies else 'DISABLE'} ROW LEVEL SECURITY"
    yield f"ALTER TABLE {name} {'FORCE' if policies else 'NO FORCE'} ROW LEVEL SECURITY"
    for policy in sorted(policies):
        kind = "PERMISSIVE" if policy.permissive else "RESTRICTIVE"
        conditions = f"USING ({policy.using}) WITH CHECK ({policy.check})"
        yield f"CREATE POLICY {policy.name} ON {name} AS {kind} TO {listed(policy.roles)} {conditions}"


DROP_POLICIES = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT polname FROM pg_policy WHERE polrelid = '{0}'::regclass LOOP
    EXECUTE format('DROP POLICY %I ON {0}', name);
  END LOOP;
END $$
"""


def linked(table: str, link: Link) -> Iterator[str]:
    """In place of the single foreign key, whose error would tell whether another person's row exists."""
    name, parent, column = quoted(table), quoted(link.parent), quoted(link.column)
    unique, key = quoted(f"{link.parent}_of_person"), quoted(f"{table}_{link.column}_of_person")
    yield DROP_SINGLE_KEYS.format(table=name, parent=parent, column=link.column)
    yield MAKE_UNIQUE.format(parent=parent, unique=unique, name=f"{link.parent}_of_person")
    yield f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {key}"
    target = f"FOREIGN KEY (subject_id, {column}) REFERENCES {parent} (subject_id, id)"
    yield f"ALTER TABLE {name} ADD CONSTRAINT {key} {target} DEFERRABLE INITIALLY DEFERRED"


DROP_SINGLE_KEYS = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT conname FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'f' AND conrelid = '{table}'::regclass AND confrelid = '{parent}'::regclass
      AND cardinality(conkey) = 1 AND attname = '{column}' LOOP
    EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', name);
  END LOOP;
END $$
"""

MAKE_UNIQUE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '{parent}'::regclass AND conname = '{name}') THEN
    ALTER TABLE {parent} ADD CONSTRAINT {unique} UNIQUE (subject_id, id);
  END IF;
END $$
"""


def listed(names: Iterable[str]) -> str:
    return ", ".join(role_name(name) for name in sorted(names))


def role_name(role: str) -> str:
    return "PUBLIC" if role == "public" else quoted(role)
