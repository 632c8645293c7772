"""Two people with an order each, written by the superuser past the wall, as if both were customers."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from psycopg2 import sql

from audit.identifiers import uuid7
from privacy.wall.token import sign

DUMMIES = {
    "uuid": "gen_random_uuid()",
    "bytea": "'\\x00'",
    "boolean": "false",
    "timestamp with time zone": "now()",
    "smallint": "0",
    "integer": "0",
    "bigint": "0",
    "character varying[]": "'{}'",
}
REQUIRED = """
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull AND NOT atthasdef AND attidentity = '' AND NOT attisdropped
"""
THIS_TRANSACTION = "SELECT pg_backend_pid(), (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint"


@dataclass
class Person:
    """Somebody, and the marks by which an attack would show that it read their rows."""

    id: UUID = field(default_factory=uuid4)
    order: UUID = field(default_factory=uuid4)
    account: UUID = field(default_factory=uuid4)
    payment: UUID = field(default_factory=uuid4)
    secret: str = field(default_factory=lambda: f"secret{uuid4().hex}")

    def is_told_by(self, text: str) -> bool:
        marks = (str(self.id), self.id.hex, str(self.order), str(self.account), str(self.payment), self.secret, self.secret.encode().hex())
        return any(mark in text for mark in marks)


def insert(cursor: Any, table: str, **values: Any) -> None:
    """A row with these values, and something dull in every other column that must not be empty."""
    cursor.execute(REQUIRED, [table])
    dull = {name: DUMMIES.get(kind, "'x'") for name, kind in cursor.fetchall() if name not in values}
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, [*values, *dull])),
        sql.SQL(", ").join([*map(sql.Literal, values.values()), *map(sql.SQL, dull.values())]),
    )
    cursor.execute(statement)


def make_person(admin: Any) -> Person:
    person = Person()
    me = str(person.id)
    with admin.cursor() as cursor:
        insert(cursor, "privacy_subject", id=me, kind="customer")
        insert(cursor, "accounts_user", id=str(person.account), subject_id=me, password=person.secret)
        insert(cursor, "accounts_accountdetails", subject_id=me, user_id=str(person.account), email=person.secret.encode())
        insert(cursor, "accounts_accountsession", session_key=person.secret[:40], session_data=person.secret, user_id=str(person.account))
        insert(cursor, "orders_order", id=str(person.order), subject_id=me, code=person.secret[6:16], state="pending_payment")
        insert(cursor, "orders_orderline", order_id=str(person.order), quantity=1, title=person.secret)
        insert(cursor, "orders_orderaddress", subject_id=me, order_id=str(person.order), country="DE", line1=person.secret.encode())
        insert(cursor, "orders_payment", id=str(person.payment), order_id=str(person.order), state="created")
        insert(cursor, "audit_entry", id=str(uuid7()), subject_id=me, outcome=person.secret)
    return person


def enter(connection: Any, person: Person) -> str:
    """Begin a transaction for this person, as the site does; returns the token. The connection commits by itself otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(THIS_TRANSACTION)
        token = sign(person.id, *cursor.fetchone())
        use(connection, token)
    return token


def use(connection: Any, token: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('wall.token', %s, true)", [token])
