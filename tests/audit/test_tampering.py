"""What a superuser who switches off every trigger can do to the log, and what the verification says to it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from audit.actions import verify_log
from audit.checkpoints import sign_checkpoint
from audit.identifiers import uuid7
from audit.models import Entry, Verification
from tests.audit.conftest import assert_fault

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.usefixtures("worker")]

TABLES = ("audit_entry", "audit_leaf", "audit_checkpoint")
COLUMNS = {
    "at": "at + interval '1 microsecond'",
    "transaction": "(transaction::text::bigint + 1)::text::xid8",
    "db_role": "'somebody'",
    "event": "'privacy.data.collected'",
    "actor_role": "'administrator'",
    "actor_id": "gen_random_uuid()",
    "actor_name": "'job'",
    "subject_id": "NULL",
    "object_label": "'orders.payment'",
    "object_id": "NULL",
    "case_label": "''",
    "case_id": "gen_random_uuid()",
    "purpose": "'orders'",
    "categories": "ARRAY['delivery,purchase']",
    "fields": "'{{}}'",
    "request_id": "gen_random_uuid()",
    "outcome": "'refused'",
}
FORGED = uuid7()
DESTROYED = uuid7()
FORGE_ENTRY = (
    "INSERT INTO audit_entry SELECT {forged}, at, transaction, db_role, event, actor_role, actor_id, actor_name,"
    " subject_id, object_label, object_id, case_label, case_id, purpose, categories, fields, request_id, outcome"
    " FROM audit_entry WHERE id = {e%s}"
)
ROLL_BACK = (
    "DELETE FROM audit_checkpoint WHERE size > %s;"
    " DELETE FROM audit_leaf WHERE index >= %s;"
    " DELETE FROM audit_entry WHERE id NOT IN (SELECT entry_id FROM audit_leaf)"
)


@dataclass(frozen=True)
class Case:
    """SQL, in which {e3} is the id of the fourth entry; what is found, and at which place."""

    name: str
    sql: str
    finding: str
    index: int | None = None
    entry: Callable[[list], object] = field(default=lambda log: None)
    checkpoints: int | None = None


def at(index):
    return {"index": index, "entry": lambda log: log[index]}


def changed_columns():
    for column, value in COLUMNS.items():
        # a higher transaction also takes the entry out of the part of the log that is integrated
        finding = "was moved" if column == "transaction" else "was changed"
        sql = f"UPDATE audit_entry SET {column} = {value} WHERE id = {{e6}}"
        yield Case(f"{column} changed", sql, finding, **at(6), checkpoints=2)


def removals():
    yield Case("entry removed", "DELETE FROM audit_entry WHERE id = {e3}", "was removed", **at(3), checkpoints=1)
    for index in (0, 3, 6):
        leaf = f"DELETE FROM audit_leaf WHERE index = {index}"
        entry = f"DELETE FROM audit_entry WHERE id = {{e{index}}}"
        yield Case(f"leaf {index} removed", leaf, f"leaf {index} of entry", **at(index))
        yield Case(f"entry {index} and leaf removed", f"{leaf}; {entry}", f"leaf {index} ", index, lambda log: ...)
    yield Case(
        "entry and leaf removed, the others closing ranks",
        "DELETE FROM audit_leaf WHERE index = 3; DELETE FROM audit_entry WHERE id = {e3};"
        " UPDATE audit_leaf SET index = index - 1 WHERE index > 3",
        "root of the checkpoint of 5 entries",
        checkpoints=1,
    )


def insertions():
    for index, place in ((0, 0), (3, 2), (6, 5)):  # the oldest id is the first of its transaction
        yield Case(f"entry inserted after {index}", FORGE_ENTRY % index, "was inserted", place, lambda log: FORGED)
    renamed = "UPDATE audit_entry SET id = {forged} WHERE id = {e3}"
    yield Case("id changed", renamed, "was inserted", 2, lambda log: FORGED, checkpoints=1)
    leaf = "INSERT INTO audit_leaf SELECT 7, {forged}, commitment, key_id FROM audit_leaf WHERE index = 6"
    yield Case("entry and leaf inserted", f"{FORGE_ENTRY % 6}; {leaf}", "in no checkpoint", 7, lambda log: FORGED)


def changed_leaves():
    yield Case(
        "leaves exchanged",
        "UPDATE audit_leaf SET index = -1 WHERE index = 2; UPDATE audit_leaf SET index = 2 WHERE index = 3;"
        " UPDATE audit_leaf SET index = 3 WHERE index = -1",
        "was moved",
        2,
        lambda log: log[3],
        checkpoints=1,
    )
    flipped = "UPDATE audit_leaf SET commitment = set_byte(commitment, 0, get_byte(commitment, 0) # 1) WHERE index = 4"
    yield Case("leaf changed", flipped, "was changed", **at(4))
    hide = "UPDATE audit_entry SET purpose = 'other' WHERE id = {e6}; UPDATE audit_leaf SET key_id = %s WHERE index = 6"
    yield Case("pointed at no key", hide % "gen_random_uuid()", "no erasure destroyed it", **at(6))
    yield Case("pointed at a destroyed key", hide % "{destroyed}", "root of the checkpoint of 7 entries", checkpoints=2)


def changed_checkpoints():
    for change, finding in {
        "root = set_byte(root, 0, get_byte(root, 0) # 1)": "differs from what was signed",
        "note = replace(note, E'\\n5\\n', E'\\n6\\n')": "is not signed",
        "note = (SELECT note FROM audit_checkpoint WHERE size = 2)": "differs from what was signed",
        "note = ''": "is not signed",
        "frontier = set_byte(frontier, 0, get_byte(frontier, 0) # 1)": "frontier",
        "size = 6": "differs from what was signed",
        "root = {zeros}, note = {note_of_zeros}": "root of the checkpoint of 5 entries in the database",
    }.items():
        yield Case(change, f"UPDATE audit_checkpoint SET {change} WHERE size = 5", finding, checkpoints=1)
    newest = "DELETE FROM audit_checkpoint WHERE size = 7"
    yield Case("newest checkpoint removed", newest, "in no checkpoint", **at(5))


def roll_backs():
    for kept in (0, 2, 5):
        finding = f"rolled back: outside the database the log has 7 entries, here {kept}"
        yield Case(f"rolled back to {kept}", ROLL_BACK % (kept, kept), finding)


def several_changes():
    both = "UPDATE audit_entry SET purpose = 'other' WHERE id IN ({e5}, {e3})"
    yield Case("two entries changed", both, "was changed", **at(3), checkpoints=1)


KINDS = [changed_columns, removals, insertions, changed_leaves, changed_checkpoints, roll_backs, several_changes]


@pytest.fixture
def restore(log, tamper):
    """Put the log's tables back as they were."""
    for table in TABLES:
        tamper(f"CREATE TABLE untouched_{table} AS SELECT * FROM {table}")

    def run():
        for table in TABLES:
            tamper(f"TRUNCATE {table}; INSERT INTO {table} SELECT * FROM untouched_{table}")

    return run


@pytest.fixture
def values(log, keys):
    """What the SQL of a case may name."""
    keys.destroyed.add(DESTROYED)
    texts = {f"e{index}": str(entry_id) for index, entry_id in enumerate(log)}
    texts |= {"forged": str(FORGED), "destroyed": str(DESTROYED), "zeros": "\\x" + "00" * 32}
    texts |= {"note_of_zeros": sign_checkpoint(5, bytes(32))}
    return {name: f"'{text}'" for name, text in texts.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_tampering_is_found_and_named(log, values, tamper, restore, subtests, kind):
    for case in kind():
        restore()
        tamper(case.sql.format(**values))

        verification = verify_log()

        with subtests.test(case.name):
            entry = case.entry(log)
            expected = verification.first_bad_entry if entry is ... else entry
            assert_fault(verification, case.finding, entry=expected, index=case.index, checkpoints=case.checkpoints)


def test_log_that_was_restored_holds(restore):
    restore()

    assert verify_log().result == Verification.Result.OK


def test_every_column_of_an_entry_is_tampered_with():
    assert {column.name for column in Entry._meta.concrete_fields} == COLUMNS.keys() | {"id"}
