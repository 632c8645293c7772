"""How every table has to stand, from what its model declares: whose rows, whose rights, which links (PROTECT-2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import models, router

from audit import grants as audit_grants
from privacy.declarations.walls import ALL, Side, Wall
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord
from privacy.wall.errors import Undeclared
from privacy.wall.foundation import GUARD
from privacy.wall.logins import Login

# Models that cannot speak for themselves: other people's, and the log, which knows nothing of this room.
OTHERS: dict[str, Wall] = {
    "admin.logentry": Wall.STAFF,
    "auth.permission": Wall.STAFF,
    "auth.group": Wall.STAFF,
    "auth.group_permissions": Wall.STAFF,
    "contenttypes.contenttype": Wall.STAFF,
    "axes.accessattempt": Wall.STAFF,
    "axes.accessattemptexpiration": Wall.STAFF,
    "axes.accesslog": Wall.STAFF,
    "axes.accessfailurelog": Wall.STAFF,
    "audit.entry": Wall.SUBJECT.granting(author="actor_id"),
    "audit.leaf": Wall.PUBLIC,
    "audit.tile": Wall.PUBLIC,
    "audit.checkpoint": Wall.PUBLIC,
    "audit.cosignature": Wall.PUBLIC,
    "audit.publication": Wall.PUBLIC,
    "audit.verification": Wall.PUBLIC,
    "audit.retirement": Wall.PUBLIC,
}
TABLES_WITHOUT_MODEL = {"django_migrations": Wall.PUBLIC.granting(staff="SELECT")}

OPEN, OWN = "wall_open", "wall_own"
ME = "( SELECT wall.current_subject() AS current_subject)"


class Policy(NamedTuple):
    """As PostgreSQL itself prints it, so that what stands can be compared with what should."""

    name: str
    permissive: bool
    roles: frozenset[str]
    using: str
    check: str
    command: str = "*"


class Right(NamedTuple):
    """One privilege of one role; ``column`` is empty for the whole table."""

    role: str
    privilege: str
    column: str


class Link(NamedTuple):
    """A foreign key that takes the person along, so that no row hangs on another person's."""

    column: str
    parent: str


@dataclass(frozen=True)
class Shape:
    """One table: without policies everybody with a right sees all rows."""

    policies: frozenset[Policy] = frozenset()
    rights: frozenset[Right] = frozenset()
    links: frozenset[Link] = frozenset()


def declared_wall(model: type[models.Model]) -> Wall:
    """Raises Undeclared for a model that says nothing."""
    wall: Wall | None = getattr(model, "wall", None) or OTHERS.get(model._meta.label_lower)
    if wall is None and issubclass(model, PersonalRecord):
        wall = Wall.SUBJECT
    if wall is None:
        raise Undeclared(f"{model._meta.label} does not say on which side of the wall it stands: give it wall = Wall.…")
    return wall


def walled_models() -> Iterator[type[models.Model]]:
    """Every model with a table in the main database, in a stable order."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy and router.allow_migrate_model("default", model):
            yield model


def wanted_shapes() -> dict[str, Shape]:
    """Every table of the main database. Raises Undeclared."""
    shapes = {model._meta.db_table: wanted_shape(model) for model in walled_models()}
    for table, wall in TABLES_WITHOUT_MODEL.items():
        shapes[table] = Shape(rights=frozenset(rights_of_logins(wall, append_only=True)))
    return shapes | {name: Shape(rights=frozenset({Right(roles()[Login.WORKER], "SELECT", "")})) for name in sequences()}


def sequences() -> Iterator[str]:
    """What numbers rows; a worker reads it for a backup."""
    yield from (f"{table}_id_seq" for table in TABLES_WITHOUT_MODEL)
    yield from (f"{m._meta.db_table}_{m._meta.auto_field.column}_seq" for m in walled_models() if m._meta.auto_field)


def wanted_shape(model: type[models.Model]) -> Shape:
    wall = declared_wall(model)
    if not wall.is_by_person:
        return Shape(rights=wanted_rights(model, wall))
    return Shape(wanted_policies(model, wall), wanted_rights(model, wall), frozenset(wanted_links(model, wall)))


def roles() -> dict[Login, str]:
    """The role in the database of each login but the owner's."""
    named: Mapping[str, str] = settings.RUNTIME_ROLES
    return {Login(login): role for login, role in named.items()}


# Whose rows


def wanted_policies(model: type[models.Model], wall: Wall) -> frozenset[Policy]:
    """Open to every login that has a right at all; a customer's is then held to its own rows, whatever else is added."""
    everybody, customer = frozenset(roles().values()) | keepers(model), frozenset({roles()[Login.CUSTOMER]})
    return frozenset(
        {Policy(OPEN, True, everybody, "true", "true"), Policy(OWN, False, customer, own_rows(model, wall), own_additions(model, wall))}
    )


def keepers(model: type[models.Model]) -> frozenset[str]:
    """Who has rights beside the logins: the log's keeper, whose functions look into it, and the owner, who may add to it."""
    return frozenset({GUARD, "pg_database_owner"} if model._meta.app_label == "audit" else ())


def own_rows(model: type[models.Model], wall: Wall) -> str:
    """A condition on a row of the model that holds for the customer's own."""
    return behind(model, wall.parent) if wall.side == Side.THROUGH else f"({subject_column(model)} = {ME})"


def own_additions(model: type[models.Model], wall: Wall) -> str:
    """The same for what a row becomes: what it points at is the customer's own, too.

    PostgreSQL checks a foreign key past every policy: without this a row could hang on another person's, and the
    error would tell which ids exist.
    """
    own, linked = own_rows(model, wall), {link.column for link in wanted_links(model, wall)}
    if wall.author:
        return f"({own} OR ({wall.author} = {ME}))"
    others = [behind(model, field.name) for field in parents(model) if field.name != wall.parent and field.column not in linked]
    return f"({' AND '.join([own, *others])})" if others else own


def behind(model: type[models.Model], name: str) -> str:
    """The row that a foreign key points at is the customer's own: its table's policy decides, inside this very query."""
    field: Any = model._meta.get_field(name)
    parent, column = field.related_model._meta, field.column
    condition = f"(parent.{parent.pk.column} = {model._meta.db_table}.{column})"
    found = f"(EXISTS ( SELECT 1 FROM {parent.db_table} parent WHERE {condition}))"  # noqa: S608 - names of our models
    return f"(({column} IS NULL) OR {found})" if field.null else found


def subject_column(model: type[models.Model]) -> str:
    return "id" if model is Subject else "subject_id"


def has_subject(model: Any) -> bool:
    return declared_wall(model).side == Side.SUBJECT and model is not Subject


def parents(model: type[models.Model]) -> list[Any]:
    """The foreign keys to rows that belong to a person."""
    keys: list[Any] = [field for field in model._meta.concrete_fields if field.is_relation and field.related_model is not Subject]
    return [field for field in keys if declared_wall(field.related_model).is_by_person]


# Which links


def wanted_links(model: type[models.Model], wall: Wall) -> Iterator[Link]:
    if wall.side == Side.SUBJECT:
        for field in parents(model):
            if has_subject(field.related_model):
                yield Link(field.column, field.related_model._meta.db_table)


# Whose rights


def wanted_rights(model: type[models.Model], wall: Wall) -> frozenset[Right]:
    if model._meta.app_label == "audit":
        return frozenset(right for login, role in roles().items() for right in spelled_out(role, audit_rights(model, login)))
    columns = [field.column for field in model._meta.concrete_fields]
    return frozenset(rights_of_logins(wall, append_only=getattr(model, "append_only", False), columns=columns))


def audit_rights(model: type[models.Model], login: Login) -> str:
    return audit_grants.rights(model._meta.db_table, is_worker=login is Login.WORKER)


def rights_of_logins(wall: Wall, *, append_only: bool, columns: Iterable[str] = ()) -> Iterator[Right]:
    """Nobody changes or deletes what may only be added to, and few meet a secret, whatever the rights declared say."""
    listed = {Login.CUSTOMER: wall.customer, Login.GATE: wall.gate, Login.STAFF: wall.staff, Login.AUDITOR: wall.auditor, Login.WORKER: ALL}
    for login, role in roles().items():
        secret = () if login is Login.WORKER or login in wall.told_to else wall.secret
        for right in spelled_out(role, listed[login]):
            if not append_only or right.privilege in ("SELECT", "INSERT"):
                yield from without_secret(right, secret, columns)


def without_secret(right: Right, secret: tuple[str, ...], columns: Iterable[str]) -> Iterator[Right]:
    """A right to the whole table, as one to each of its columns that is no secret."""
    if not secret or right.privilege not in ("SELECT", "UPDATE"):
        yield right
    else:
        named = [right.column] if right.column else columns
        yield from (right._replace(column=column) for column in named if column not in secret)


def spelled_out(role: str, rights: str) -> Iterable[Right]:
    """``SELECT, UPDATE (a, b)`` as single rights."""
    for privilege, columns in re.findall(r"(\w+)(?: \(([^)]*)\))?(?:, |$)", rights):
        for column in columns.split(", "):
            yield Right(role, privilege, column)


@cache
def unreadable_fields(login: Login) -> frozenset[models.Field[Any, Any]]:
    """The fields that this login reads in no row, of models of which it reads others."""
    return frozenset(field for model in walled_models() for field in _unreadable_in(model, roles()[login]))


def _unreadable_in(model: type[models.Model], role: str) -> Iterator[models.Field[Any, Any]]:
    rights = wanted_rights(model, declared_wall(model))
    readable = {right.column for right in rights if (right.role, right.privilege) == (role, "SELECT")}
    if readable and "" not in readable:
        yield from (field for field in model._meta.concrete_fields if field.column not in readable and not field.primary_key)
