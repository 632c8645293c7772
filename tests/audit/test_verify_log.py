import threading
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from audit.actions import integrate_entries, verify_log
from audit.checkpoints import sign_checkpoint, signing_key
from audit.events import Event
from audit.identifiers import uuid7
from audit.models import Checkpoint, Entry, Leaf, Verification
from audit.tasks import verify
from tests.audit.conftest import Someone

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.usefixtures("worker")]

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
    "fields": "'{}'",
    "request_id": "gen_random_uuid()",
    "outcome": "'refused'",
}


@pytest.fixture
def log(write, keys):
    """Seven entries in three checkpoints: two of one person, three of nobody, two of another person."""
    people = uuid7(), uuid7()
    ids = write(2, people[0])
    integrate_entries()
    ids += write(3)
    integrate_entries()
    ids += write(2, people[1])
    integrate_entries()
    return ids


def assert_fault(verification, finding, *, entry=None, index=None, checkpoints=None):
    assert verification.result == Verification.Result.FAILED
    assert finding in verification.finding
    assert (verification.first_bad_entry, verification.first_bad_index) == (entry, index)
    if checkpoints is not None:
        assert verification.checkpoints == checkpoints


def test_verify_log_of_an_untouched_log_holds(log):
    verification = verify_log()

    assert verification.result == Verification.Result.OK
    assert (verification.entries, verification.erased, verification.checkpoints) == (7, 0, 3)
    assert (verification.first_bad_entry, verification.first_bad_index, verification.finding) == (None, None, "")


def test_verify_log_of_an_empty_log_holds():
    verification = verify_log()

    assert (verification.result, verification.entries) == (Verification.Result.OK, 0)


def test_verify_log_leaves_entries_that_wait_for_the_next_time(log, write):
    write(2)

    assert verify_log().entries == 7


def test_verify_log_records_one_event_and_its_result(log):
    someone = Someone(role="auditor", id=uuid7())

    verification = verify_log(by=someone)

    entry = Entry.objects.get(event=Event.LOG_VERIFIED)
    assert (entry.actor_id, entry.object_id, entry.outcome) == (someone.id, verification.id, "ok")
    assert Verification.objects.get() == verification


def test_verify_log_that_fails_records_the_failure(log, tamper):
    tamper("DELETE FROM audit_entry WHERE id = %s", log[0])

    verification = verify_log()

    entry = Entry.objects.get(event=Event.LOG_FAILED)
    assert (entry.object_id, entry.outcome) == (verification.id, "failed")


def test_verify_log_stores_nothing_when_its_event_cannot_be_written(log, owner_connection):
    with owner_connection("default") as superuser, superuser.cursor() as cursor:
        cursor.execute("REVOKE ALL ON audit_entry FROM market_worker")
        cursor.execute("GRANT SELECT ON audit_entry TO market_worker")

    with pytest.raises(DatabaseError):
        verify_log()

    assert not Verification.objects.exists()


def test_verify_log_tells_its_progress(log):
    told = []

    verify_log(progress=lambda done, total: told.append((done, total)))

    assert told == [(2, 7), (5, 7), (7, 7)]


def test_verify_log_names_an_entry_with_any_column_changed(log, tamper):
    tamper("CREATE TABLE untouched AS SELECT * FROM audit_entry")
    for column, value in COLUMNS.items():
        tamper(f"UPDATE audit_entry SET {column} = {value} WHERE id = %s", log[6])

        verification = verify_log()

        # a higher transaction also takes the entry out of the part of the log that is integrated
        finding = "was moved" if column == "transaction" else "was changed"
        assert_fault(verification, finding, entry=log[6], index=6, checkpoints=2)
        tamper(f"UPDATE audit_entry e SET {column} = u.{column} FROM untouched u WHERE u.id = e.id")
    assert verify_log().result == Verification.Result.OK


def test_every_column_of_an_entry_is_tampered_with_above():
    assert {field.column for field in Entry._meta.concrete_fields} == COLUMNS.keys() | {"id"}


def test_verify_log_names_the_first_of_several(log, tamper):
    tamper("UPDATE audit_entry SET purpose = 'other' WHERE id IN (%s, %s)", log[5], log[3])

    assert_fault(verify_log(), "was changed", entry=log[3], index=3, checkpoints=1)


def test_verify_log_names_a_removed_entry(log, tamper):
    tamper("DELETE FROM audit_entry WHERE id = %s", log[3])

    assert_fault(verify_log(), "was removed", entry=log[3], index=3, checkpoints=1)


def test_verify_log_names_a_replaced_id(log, tamper):
    tamper("UPDATE audit_entry SET id = gen_random_uuid() WHERE id = %s", log[3])

    verification = verify_log()

    assert verification.result == Verification.Result.FAILED
    assert verification.first_bad_index in (2, 3, 4)


@pytest.mark.parametrize("index", [0, 3, 6])
def test_verify_log_names_a_removed_leaf(log, tamper, index):
    tamper("DELETE FROM audit_leaf WHERE index = %s", index)

    assert_fault(verify_log(), f"leaf {index} of entry {log[index]} is missing", entry=log[index], index=index)


@pytest.mark.parametrize("index", [0, 3, 6])
def test_verify_log_names_an_entry_removed_with_its_leaf(log, tamper, index):
    tamper("DELETE FROM audit_leaf WHERE index = %s", index)
    tamper("DELETE FROM audit_entry WHERE id = %s", log[index])

    verification = verify_log()

    assert verification.result == Verification.Result.FAILED
    assert verification.first_bad_index == index
    assert f"leaf {index}" in verification.finding


def test_verify_log_names_an_entry_removed_with_its_leaf_when_the_others_close_ranks(log, tamper):
    tamper("DELETE FROM audit_leaf WHERE index = 3")
    tamper("DELETE FROM audit_entry WHERE id = %s", log[3])
    tamper("UPDATE audit_leaf SET index = index - 1 WHERE index > 3")

    verification = verify_log()

    assert_fault(verification, "root of the checkpoint of 5 entries", checkpoints=1)


INSERT = (
    "INSERT INTO audit_entry SELECT %s, at, {transaction}, db_role, event, actor_role, actor_id, actor_name, subject_id,"
    " object_label, object_id, case_label, case_id, purpose, categories, fields, request_id, outcome"
    " FROM audit_entry WHERE id = %s"
)


@pytest.mark.parametrize("index", [0, 3, 6])
def test_verify_log_names_an_inserted_entry(log, tamper, index):
    forged = uuid7()
    tamper(INSERT.format(transaction="transaction"), forged, log[index])

    verification = verify_log()

    place = {0: 2, 3: 5, 6: 7}[index]  # its id is the newest, so it is the last of its transaction
    assert_fault(verification, "was inserted", entry=forged, index=place)


def test_verify_log_names_an_entry_inserted_with_a_leaf(log, tamper):
    forged = uuid7()
    tamper(INSERT.format(transaction="transaction"), forged, log[6])
    tamper("INSERT INTO audit_leaf SELECT 7, %s, commitment, key_id FROM audit_leaf WHERE index = 6", forged)

    assert_fault(verify_log(), "in no checkpoint", entry=forged, index=7)


def test_verify_log_names_leaves_that_changed_places(log, tamper):
    tamper("UPDATE audit_leaf SET index = -1 WHERE index = 2")
    tamper("UPDATE audit_leaf SET index = 2 WHERE index = 3")
    tamper("UPDATE audit_leaf SET index = 3 WHERE index = -1")

    assert_fault(verify_log(), "was moved", entry=log[3], index=2, checkpoints=1)


def test_verify_log_names_a_changed_leaf(log, tamper):
    tamper("UPDATE audit_leaf SET commitment = set_byte(commitment, 0, get_byte(commitment, 0) # 1) WHERE index = 4")

    assert_fault(verify_log(), "was changed", entry=log[4], index=4)


def test_verify_log_counts_entries_of_erased_people_without_alarm(log, keys):
    for subject in list(keys.of_subject):
        keys.erase(subject)

    verification = verify_log()

    assert verification.result == Verification.Result.OK
    assert (verification.entries, verification.erased, verification.checkpoints) == (7, 4, 3)


def test_verify_log_names_an_entry_whose_key_is_gone_without_an_erasure(log, keys):
    keys.of_subject.clear()

    assert_fault(verify_log(), "no erasure destroyed it", entry=log[0], index=0)


def test_verify_log_is_not_fooled_by_a_leaf_pointed_at_no_key(log, tamper):
    tamper("UPDATE audit_entry SET purpose = 'other' WHERE id = %s", log[6])
    tamper("UPDATE audit_leaf SET key_id = gen_random_uuid() WHERE index = 6")

    assert_fault(verify_log(), "no erasure destroyed it", entry=log[6], index=6)


def test_verify_log_is_not_fooled_by_a_leaf_pointed_at_a_destroyed_key(log, tamper, keys):
    destroyed = uuid7()
    keys.destroyed.add(destroyed)
    tamper("UPDATE audit_entry SET purpose = 'other' WHERE id = %s", log[6])
    tamper("UPDATE audit_leaf SET key_id = %s WHERE index = 6", destroyed)

    assert_fault(verify_log(), "root of the checkpoint of 7 entries", checkpoints=2)


def test_verify_log_while_entries_are_written_and_integrated_holds(write):
    is_done = threading.Event()

    def keep_integrating():
        try:
            while not is_done.is_set():
                write(1, uuid7())
                integrate_entries()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        integrating = pool.submit(keep_integrating)
        found = [verify_log() for _ in range(30)]
        is_done.set()
        integrating.result()

    assert {verification.finding for verification in found} == {""}
    assert found[-1].entries > found[0].entries


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("root = set_byte(root, 0, get_byte(root, 0) # 1)", "differs from what was signed"),
        ("note = replace(note, E'\\n5\\n', E'\\n6\\n')", "is not signed"),
        ("note = (SELECT note FROM audit_checkpoint WHERE size = 2)", "differs from what was signed"),
        ("note = ''", "is not signed"),
        ("frontier = set_byte(frontier, 0, get_byte(frontier, 0) # 1)", "frontier"),
        ("size = 6", "differs from what was signed"),
    ],
)
def test_verify_log_names_a_changed_checkpoint(log, tamper, change, finding):
    tamper(f"UPDATE audit_checkpoint SET {change} WHERE size = 5")

    assert_fault(verify_log(), finding, checkpoints=1)


def test_verify_log_names_a_forged_checkpoint_with_a_right_signature(log, tamper):
    root = bytes(32)
    note = sign_checkpoint(5, root)
    tamper("UPDATE audit_checkpoint SET root = %s, note = %s WHERE size = 5", root, note)

    assert_fault(verify_log(), "root of the checkpoint of 5 entries in the database", checkpoints=1)


def test_verify_log_names_a_removed_newest_checkpoint(log, tamper):
    tamper("DELETE FROM audit_checkpoint WHERE size = 7")

    assert_fault(verify_log(), "in no checkpoint", entry=log[5], index=5)


@pytest.mark.parametrize("kept", [0, 2, 5])
def test_verify_log_names_a_rolled_back_database(log, tamper, kept):
    tamper("DELETE FROM audit_checkpoint WHERE size > %s", kept)
    tamper("DELETE FROM audit_leaf WHERE index >= %s", kept)
    tamper("DELETE FROM audit_entry WHERE id NOT IN (SELECT entry_id FROM audit_leaf)")

    assert_fault(verify_log(), f"rolled back: outside the database the log has 7 entries, here {kept}")


def test_verify_log_names_a_database_that_was_rolled_back_and_continued(log, tamper, settings, write):
    """The outside file was moved away for the new history to be signed, and put back."""
    kept = settings.STATE / "log" / "checkpoint"
    note = kept.read_text()
    tamper("DELETE FROM audit_checkpoint WHERE size > 2")
    tamper("DELETE FROM audit_leaf WHERE index >= 2")
    tamper("DELETE FROM audit_entry WHERE id NOT IN (SELECT entry_id FROM audit_leaf)")
    kept.unlink()
    write(9)
    integrate_entries()
    kept.write_text(note)

    assert_fault(verify_log(), "root of the checkpoint of 7 entries outside the database", checkpoints=1)


def test_verify_log_names_a_damaged_file_outside(log, settings):
    kept = settings.STATE / "log" / "checkpoint"
    kept.write_text(kept.read_text().replace("7", "8"))

    assert_fault(verify_log(), "kept outside as checkpoint is not signed")


def test_verify_log_after_a_change_of_the_signing_key_accepts_the_former_one(log, write, settings):
    former = str(signing_key().verifier)
    settings.AUDIT_SIGNING_KEY = b"n" * 32
    settings.AUDIT_SIGNING_KEY_VERSION = 2
    settings.AUDIT_FORMER_KEYS = [former]
    write()
    integrate_entries()

    assert verify_log().checkpoints == 4
    assert Checkpoint.objects.latest("size").key_version == 2


def test_command_says_that_the_log_holds(log):
    out, err = StringIO(), StringIO()

    call_command("verify_audit", stdout=out, stderr=err)

    assert out.getvalue() == "7 entries (0 of erased people) and 3 checkpoints verified\nThe log holds.\n"
    assert err.getvalue() == "7/7 (100 %)\n"


def test_command_names_the_first_bad_entry_and_exits_with_1(log, tamper):
    tamper("UPDATE audit_entry SET purpose = 'other' WHERE id = %s", log[3])

    with pytest.raises(CommandError) as failure:
        call_command("verify_audit", "--quiet", stdout=StringIO())

    assert failure.value.returncode == 1
    assert str(failure.value) == f"The log does not hold: entry {log[3]} at 3 was changed"


def test_task_verifies(log):
    verify()

    assert Verification.objects.get().result == Verification.Result.OK
    assert Leaf.objects.count() == 7
