import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from audit.actions import integrate_entries, verify_log
from audit.checkpoints import signing_keys
from audit.events import Event
from audit.identifiers import uuid7
from audit.models import Checkpoint, Entry, Leaf, Tile, Verification
from audit.tasks import verify
from tests.audit.conftest import Someone, assert_fault

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.usefixtures("worker")]


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


def test_tiles_that_become_full_while_it_verifies_are_no_fault(log, write):
    def meanwhile(done, total):
        write(300)
        integrate_entries()

    verification = verify_log(progress=meanwhile)

    assert (verification.finding, verification.entries) == ("", 7)
    assert Tile.objects.count() == 1


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

    assert told == [(7, 7)]


def test_verify_log_counts_entries_of_erased_people_without_alarm(log, keys):
    for subject in list(keys.of_subject):
        keys.erase(subject)

    verification = verify_log()

    assert verification.result == Verification.Result.OK
    assert (verification.entries, verification.erased, verification.checkpoints) == (7, 4, 3)


def test_verify_log_names_an_entry_whose_key_is_gone_without_an_erasure(log, keys):
    keys.of_subject.clear()

    assert_fault(verify_log(), "no erasure destroyed it", entry=log[0], index=0)


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
    former = str(signing_keys()[0].verifier)
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

    assert out.getvalue() == (
        "7 entries from 0 on (0 of erased people, 0 of retired months) and 3 checkpoints verified\n"
        f"Every checkpoint up to 7 entries holds (signed {Checkpoint.objects.get(size=7).signed_at:%Y-%m-%d %H:%M} UTC).\n"
        "The log holds.\n"
    )
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


@pytest.mark.parametrize("month", ["2026", "2026-13", "October"])
def test_command_refuses_what_is_no_month(log, month):
    with pytest.raises(CommandError) as refusal:
        call_command("verify_audit", "--month", month, stdout=StringIO())

    assert refusal.value.returncode == 2
    assert not Verification.objects.exists()


def test_command_verifies_what_is_new_since_it_last_held(log, write):
    call_command("verify_audit", "--quiet", stdout=StringIO())
    write(2)
    integrate_entries()

    call_command("verify_audit", "--since-last", "--quiet", stdout=(out := StringIO()))

    newest = Verification.objects.latest("finished_at")
    assert (newest.kind, newest.first_index, newest.result) == (Verification.Kind.SINCE_LAST, 7, Verification.Result.OK)
    assert "entries from 7 on" in out.getvalue()


def test_command_verifies_one_month_and_no_other(old_month):
    ids = old_month(datetime(2026, 3, 1, tzinfo=UTC)) + old_month(datetime(2026, 4, 1, tzinfo=UTC))
    integrate_entries()

    call_command("verify_audit", "--month", "2026-04", "--quiet", stdout=StringIO())

    verification = Verification.objects.get()
    assert (verification.kind, verification.result) == (Verification.Kind.MONTH, Verification.Result.OK)
    assert 3 <= verification.entries <= len(ids)


@pytest.mark.parametrize("month", ["2026-03", "2026-04"])
def test_command_finds_what_is_wrong_in_the_month_that_it_is_asked_for(old_month, tamper, month):
    march = old_month(datetime(2026, 3, 1, tzinfo=UTC))
    integrate_entries()
    old_month(datetime(2026, 4, 1, tzinfo=UTC))
    integrate_entries()
    tamper("UPDATE audit_entry SET purpose = 'other' WHERE id = %s", march[1])
    command = partial(call_command, "verify_audit", "--month", month, "--quiet", stdout=StringIO())

    if month == "2026-04":
        command()
    else:
        with pytest.raises(CommandError, match=f"entry {march[1]} .* was changed"):
            command()
