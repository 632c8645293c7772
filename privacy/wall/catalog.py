"""How the tables do stand, read from PostgreSQL's own catalog (PROTECT-2)."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from privacy.wall.shape import Link, Policy, Right, Shape

FORCED = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relrowsecurity AND relforcerowsecurity
"""
POLICIES = """
SELECT relname, polname, polpermissive, ARRAY(SELECT rolname::text FROM pg_roles WHERE oid = ANY (polroles)),
       pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid), polcmd
FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid WHERE relnamespace = 'public'::regnamespace
"""
# The owner of the database has rights by its own nature; the months of the log are read through the whole of it.
RIGHTS = """
SELECT relname, coalesce(rolname, 'public'), privilege_type, ''
FROM pg_class CROSS JOIN aclexplode(relacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT relispartition
  AND grantee NOT IN (relowner, (SELECT datdba FROM pg_database WHERE datname = current_database()))
UNION ALL
SELECT relname, coalesce(rolname, 'public'), privilege_type, attname
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid CROSS JOIN aclexplode(attacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
WHERE relnamespace = 'public'::regnamespace AND NOT relispartition
  AND grantee NOT IN (relowner, (SELECT datdba FROM pg_database WHERE datname = current_database()))
"""
HIDDEN = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND row_security_active(pg_class.oid) AND (
  NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polpermissive AND polcmd IN ('*', 'r')
              AND pg_get_expr(polqual, polrelid) = 'true' AND polroles && ARRAY[0::oid, current_user::regrole::oid])
  OR EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND NOT polpermissive AND polcmd IN ('*', 'r')
             AND polroles && ARRAY[0::oid, current_user::regrole::oid]))
ORDER BY relname
"""
FOREIGN_KEYS = """
SELECT conrelid::regclass::text, confrelid::regclass::text,
       ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (number, place)
             JOIN pg_attribute ON attrelid = conrelid AND attnum = k.number ORDER BY k.place)
FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace
"""


def standing_shapes(cursor: Any) -> dict[str, Shape]:
    """Every table and view of the database that has a policy, a right or a link. A table that is not forced has no policies."""
    policies, rights, links = standing_policies(cursor), standing_rights(cursor), standing_links(cursor)
    tables = policies.keys() | rights.keys() | links.keys()
    return {table: Shape(frozenset(policies[table]), frozenset(rights[table]), frozenset(links[table])) for table in tables}


def standing_policies(cursor: Any) -> dict[str, set[Policy]]:
    cursor.execute(FORCED)
    forced = {table for (table,) in cursor.fetchall()}
    found: dict[str, set[Policy]] = defaultdict(set)
    cursor.execute(POLICIES)
    for table, name, permissive, roles, using, check, command in cursor.fetchall():
        if table in forced:
            found[table].add(Policy(name, permissive, frozenset(roles), one_line(using), one_line(check), command))
    return found


def tables_hidden_from(cursor: Any) -> list[str]:
    """The tables of which a policy hides rows from the login that asks."""
    cursor.execute(HIDDEN)
    return [table for (table,) in cursor.fetchall()]


def one_line(expression: str | None) -> str:
    return re.sub(r"\s+", " ", expression or "")


def standing_rights(cursor: Any) -> dict[str, set[Right]]:
    found: dict[str, set[Right]] = defaultdict(set)
    cursor.execute(RIGHTS)
    for table, *right in cursor.fetchall():
        found[table].add(Right(*right))
    return found


def standing_links(cursor: Any) -> dict[str, set[Link]]:
    """A link beside a single foreign key on the same column does not count: that one's error would still tell."""
    found: dict[str, set[Link]] = defaultdict(set)
    single: set[tuple[str, Link]] = set()
    cursor.execute(FOREIGN_KEYS)
    for table, parent, columns in cursor.fetchall():
        if len(columns) == 2 and columns[0] == "subject_id":
            found[table].add(Link(columns[1], parent))
        else:
            single.add((table, Link(columns[0], parent)))
    return defaultdict(set, {table: {link for link in links if (table, link) not in single} for table, links in found.items()})
