"""What a superuser who switches off every trigger can do to the log, and what the verification says to it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from django.db import transaction

from audit.actions import integrate_entries, verify_log
from audit.checkpoints import all_outside, sign_checkpoint
from audit.errors import CheckpointBroken
from audit.events import Event
from audit.identifiers import uuid7
from audit.models import Checkpoint, Entry, Leaf, Tile, Verification
from audit.queries import log_health
from tests.audit.conftest import assert_fault
from tests.audit.entries import entry_about, record_many

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
FLIP = "set_byte({0}, 3, get_byte({0}, 3) # 1)"
LEAF_COLUMNS = {
    "index": "UPDATE audit_leaf SET index = 16 WHERE index = 4",
    "entry_id": "UPDATE audit_leaf SET entry_id = encode(" + FLIP.format("uuid_send(entry_id)") + ", 'hex')::uuid WHERE index = 4",
    "commitment": "UPDATE audit_leaf SET commitment = " + FLIP.format("commitment") + " WHERE index = 4",
    "key_id": "UPDATE audit_leaf SET key_id = encode(" + FLIP.format("uuid_send(key_id)") + ", 'hex')::uuid WHERE index = 6",
}
CHECKPOINT_COLUMNS = {
    "size": "6",
    "root": FLIP.format("root"),
    "watermark": "(watermark::text::bigint - 1)::text::xid8",
    "frontier": FLIP.format("frontier"),
    "note": "overlay(note PLACING CASE substr(note, 30, 1) WHEN 'x' THEN 'y' ELSE 'x' END FROM 30 FOR 1)",
    "signed_at": "signed_at + interval '1 microsecond'",
    "key_version": "key_version + 1",
    "seal": FLIP.format("seal"),
}
TILE_COLUMNS = {
    "level": "UPDATE audit_tile SET level = 1 WHERE number = 1",
    "number": "UPDATE audit_tile SET number = 9 WHERE number = 1",
    "hashes": "UPDATE audit_tile SET hashes = " + FLIP.format("hashes") + " WHERE number = 1",
    "root": "UPDATE audit_tile SET root = " + FLIP.format("root") + " WHERE number = 1",
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


def follower(entry_id):
    """The next id."""
    return UUID(int=entry_id.int + 1)


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
    yield Case("entry inserted at the end", FORGE_ENTRY.replace("{forged}", "{last}") % 6, "was inserted", 7, lambda log: follower(log[6]))
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
    leaf = "UPDATE audit_leaf SET {0} WHERE index = {1}"
    longer = "commitment = (SELECT substr(commitment, 32) FROM audit_leaf WHERE index = 2) || commitment"
    shifted = f"{leaf.format(longer, 3)}; {leaf.format('commitment = substr(commitment, 1, 31)', 2)}"
    yield Case("a byte of one leaf moved to the next", shifted, "has a damaged leaf", **at(2), checkpoints=1)
    yield Case("pointed at the key of nobody", leaf.format("key_id = {nobody}", 3), "has a damaged leaf", **at(3), checkpoints=1)
    hide = "UPDATE audit_entry SET purpose = 'other' WHERE id = {e6}; UPDATE audit_leaf SET key_id = %s WHERE index = 6"
    yield Case("pointed at no key", hide % "gen_random_uuid()", "no erasure destroyed it", **at(6))
    yield Case("pointed at a destroyed key", hide % "{destroyed}", "root of the checkpoint of 7 entries", checkpoints=2)


def changed_checkpoints():
    for change, finding in {
        "root = set_byte(root, 0, get_byte(root, 0) # 1)": "differs from what was signed",
        "note = replace(note, E'\\n5\\n', E'\\n6\\n')": "is not signed",
        "note = (SELECT note FROM audit_checkpoint WHERE size = 2)": "differs from what was signed",
        "note = ''": "is not signed",
        "frontier = set_byte(frontier, 0, get_byte(frontier, 0) # 1)": "was changed",
        "size = 6": "differs from what was signed",
        "root = {zeros}, note = {note_of_zeros}": "was changed",
    }.items():
        yield Case(change, f"UPDATE audit_checkpoint SET {change} WHERE size = 5", finding, checkpoints=1)
    newest = "DELETE FROM audit_checkpoint WHERE size = 7"
    yield Case("newest checkpoint removed", newest, "in no checkpoint", **at(5))


def changed_bytes():
    """One byte of each column of a leaf and of a checkpoint."""
    for column, change in LEAF_COLUMNS.items():
        named = {
            "index": ("leaf 16 is in no checkpoint", {"index": 16, "entry": lambda log: log[4]}),
            "entry_id": ("was inserted", {"index": 4, "entry": lambda log: log[4]}),
        }
        finding, place = named.get(
            column, ("was changed" if column == "commitment" else "no erasure destroyed it", at(4 if column == "commitment" else 6))
        )
        yield Case(f"leaf: {column}", change, finding, **place)
    for column, change in CHECKPOINT_COLUMNS.items():
        finding = {"note": "is not signed", "size": "differs", "root": "differs"}.get(column, "was changed")
        yield Case(f"checkpoint: {column}", f"UPDATE audit_checkpoint SET {column} = {change} WHERE size = 5", finding, checkpoints=1)


def roll_backs():
    for kept in (0, 2, 5):
        finding = f"rolled back: outside the database the log has 7 entries, here {kept}"
        yield Case(f"rolled back to {kept}", ROLL_BACK % (kept, kept), finding)


def several_changes():
    both = "UPDATE audit_entry SET purpose = 'other' WHERE id IN ({e5}, {e3})"
    yield Case("two entries changed", both, "was changed", **at(3), checkpoints=1)


KINDS = [changed_columns, removals, insertions, changed_leaves, changed_checkpoints, changed_bytes, roll_backs, several_changes]


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
    texts |= {"forged": str(FORGED), "last": str(follower(log[6])), "nobody": str(UUID(int=0))}
    texts |= {"destroyed": str(DESTROYED), "zeros": "\\x" + "00" * 32}
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


@pytest.fixture
def tiled(write):
    """A log of 600 entries, in two tiles and a growing one, in two checkpoints."""
    ids = write(300, uuid7())
    integrate_entries()
    ids += write(300)
    integrate_entries()
    return ids


def test_changed_byte_of_a_tile_is_found_and_named(tiled, tamper, subtests):
    tamper("CREATE TABLE untouched AS SELECT * FROM audit_tile")
    for column, change in TILE_COLUMNS.items():
        tamper("TRUNCATE audit_tile; INSERT INTO audit_tile SELECT * FROM untouched")
        tamper(change)

        verification = verify_log()

        with subtests.test(column):
            assert_fault(verification, "tile 1 of level", index=256)


def test_removed_tile_is_found_and_named(tiled, tamper):
    tamper("DELETE FROM audit_tile WHERE number = 0")

    assert_fault(verify_log(), "tile 0 of level 0 is damaged or missing", index=0, checkpoints=2)


@pytest.fixture
def upgraded_just_now(tamper):
    """Tiles came with an upgrade after the newest checkpoint."""
    tamper("CREATE TABLE former AS SELECT id, applied FROM django_migrations")
    yield lambda: tamper("UPDATE django_migrations SET applied = now() WHERE app = 'audit' AND name = '0003_tiles'")
    tamper("UPDATE django_migrations SET applied = former.applied FROM former WHERE former.id = django_migrations.id; DROP TABLE former")


def test_tiles_that_were_never_stored_are_no_fault_and_are_stored_by_the_next_integration(tiled, tamper, upgraded_just_now):
    upgraded_just_now()
    tamper("DELETE FROM audit_tile")
    assert verify_log().result == Verification.Result.OK

    integrate_entries()

    assert Tile.objects.count() == 2
    assert verify_log().result == Verification.Result.OK
    assert not Verification.objects.filter(result=Verification.Result.FAILED).exists()


@pytest.mark.parametrize(("removed", "place"), [("number = 1", 256), ("true", 0)])
def test_tiles_removed_at_the_end_are_found_and_named(tiled, tamper, removed, place):
    tamper(f"DELETE FROM audit_tile WHERE {removed}")

    assert_fault(verify_log(), f"tile {place // 256} of level 0 is damaged or missing", index=place, checkpoints=2)


@pytest.mark.parametrize(("removed", "place"), [("number = 1", 256), ("true", 0)])
def test_tiles_that_the_integration_finds_missing_are_made_anew_and_told_of(tiled, tamper, removed, place):
    tamper(f"DELETE FROM audit_tile WHERE {removed}")

    integrate_entries()

    told = Verification.objects.latest("finished_at")
    assert_fault(told, f"the tiles from leaf {place} on are missing, and are to be made anew", index=place)
    assert (told.kind, told.held_size) == (Verification.Kind.SINCE_LAST, 0)
    assert Entry.objects.filter(event=Event.LOG_FAILED, object_id=told.pk).count() == 1
    assert not log_health().holds
    assert verify_log(kind=Verification.Kind.SINCE_LAST).result == Verification.Result.OK
    assert log_health().holds
    integrate_entries()
    assert Verification.objects.filter(result=Verification.Result.FAILED).count() == 1


def test_tiles_that_cannot_be_made_anew_are_told_of_once(tiled, tamper):
    tamper("DELETE FROM audit_tile; DELETE FROM audit_leaf WHERE index = 300")

    for _ in range(3):
        with pytest.raises(CheckpointBroken, match="leaves from 0 on are missing"):
            integrate_entries()
        verify_log()

    told = Verification.objects.filter(kind=Verification.Kind.SINCE_LAST).order_by("started_at").values_list("finding", flat=True)
    assert list(told) == [
        "the tiles from leaf 0 on are missing, and are to be made anew from the leaves",
        "leaves from 0 on are missing, and their tiles with them",
    ]


def test_a_tile_of_a_tree_that_there_never_was_is_found(tiled, tamper):
    tamper("INSERT INTO audit_tile SELECT 1, 0, hashes, root FROM audit_tile WHERE number = 0")

    assert_fault(verify_log(), "tile 0 of level 1 is of no tree of this log", checkpoints=2)


def test_changed_byte_of_a_checkpoint_outside_is_found(log, settings, subtests):
    outside = settings.STATE / "log"
    for path in [outside / "checkpoint", *(outside / "days").iterdir()]:
        data = path.read_bytes()
        for place in range(len(data)):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with subtests.test(f"{path.name} {place}"), pytest.raises(CheckpointBroken):
                list(all_outside())
        path.write_bytes(data)


def test_every_column_is_tampered_with():
    for model, columns in ((Leaf, LEAF_COLUMNS), (Checkpoint, CHECKPOINT_COLUMNS), (Tile, TILE_COLUMNS)):
        assert {column.name for column in model._meta.concrete_fields} == columns.keys()


def test_every_column_of_an_entry_is_tampered_with():
    assert {column.name for column in Entry._meta.concrete_fields} == COLUMNS.keys() | {"id"}


KEY_COLUMNS = {
    "id": "gen_random_uuid()",
    "subject_id": "gen_random_uuid()",
    "scope": "'account'",
    "wrapped": FLIP.format("wrapped"),
    "key_version": "key_version + 1",
    "epoch_id": "NULL",
}


@pytest.mark.parametrize("column", KEY_COLUMNS)
def test_changed_byte_of_a_persons_log_key_is_found_and_named(owner_connection, column):
    with transaction.atomic():
        ids = record_many([entry_about(None), entry_about(uuid7()), entry_about(None)])
    integrate_entries()
    with owner_connection("vault") as superuser, superuser.cursor() as cursor:
        cursor.execute(f"UPDATE privacy_subjectkey SET {column} = {KEY_COLUMNS[column]} WHERE scope = 'log'")

    assert_fault(verify_log(), "no erasure destroyed it", entry=ids[1], index=1)
