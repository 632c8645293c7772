import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction

from audit.actions import integrate_entries, verify_log
from audit.checkpoints import newest_outside, publish_checkpoint, row_seal, sign_checkpoint, verifier_keys
from audit.commitments import register_key_source
from audit.errors import CheckpointBroken, LogRolledBack, TransactionsBehind
from audit.events import Event
from audit.identifiers import uuid7
from audit.models import Checkpoint, Entry, Leaf, Verification
from audit.notes import CheckpointText, open_note
from audit.record import record
from audit.tasks import integrate
from tests.audit.conftest import KeysInMemory

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.usefixtures("worker")]


def leaf_order():
    return list(Leaf.objects.order_by("index").values_list("entry_id", flat=True))


def in_thread(work):
    """Run on another connection, and close it."""

    def run(*arguments):
        try:
            return work(*arguments)
        finally:
            connection.close()

    return run


def test_integrate_entries_adds_leaves_in_order_and_signs_a_checkpoint(write):
    ids = [*write(2, uuid7()), *write(1, uuid7()), *write(1)]

    assert integrate_entries() == 4

    assert leaf_order() == ids
    checkpoint = Checkpoint.objects.get()
    text = CheckpointText.parse(open_note(checkpoint.note, verifier_keys()))
    assert (text.size, text.root) == (4, bytes(checkpoint.root))
    assert newest_outside() == text
    assert verify_log().result == Verification.Result.OK


def test_integrate_entries_with_nothing_new_signs_nothing(write):
    write()
    integrate_entries()

    assert integrate_entries() == 0

    assert Checkpoint.objects.count() == 1


def test_integrate_entries_appends_to_what_is_there(write):
    ids = []
    for count in (1, 3, 2):
        ids += write(count, uuid7())
        integrate_entries()

    assert leaf_order() == ids
    assert list(Checkpoint.objects.order_by("size").values_list("size", flat=True)) == [1, 4, 6]
    assert verify_log().checkpoints == 3


def test_integrate_entries_in_batches_never_splits_a_transaction(write):
    ids = [*write(5), *write(1), *write(1), *write(1), *write(4)]

    assert integrate_entries(batch=2) == 12

    assert leaf_order() == ids
    assert list(Checkpoint.objects.order_by("size").values_list("size", flat=True)) == [5, 7, 12]
    assert verify_log().result == Verification.Result.OK


def test_task_integrates(write):
    write()

    integrate()

    assert Leaf.objects.count() == 1


def test_entry_of_a_person_is_committed_under_the_persons_key_and_others_under_the_houses(write, keys):
    alive, erased = uuid7(), uuid7()
    keys.erase(erased)
    write(1, alive)
    write(1, erased)
    write(1)

    integrate_entries()

    key_ids = list(Leaf.objects.order_by("index").values_list("key_id", flat=True))
    assert key_ids == [keys.of_subject[alive][0], None, None]
    assert verify_log().result == Verification.Result.OK


def test_entry_that_commits_late_is_not_passed_over(write, actor):
    """The first writer has the smaller ids and times, and commits after the job has seen the second."""
    has_written, may_commit = threading.Event(), threading.Event()
    late = []

    def write_slowly():
        with transaction.atomic():
            late.append(record(Event.DATA_OPENED, by=actor))
            has_written.set()
            may_commit.wait(10)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(in_thread(write_slowly))
        has_written.wait(10)
        early = write(1)
        integrate_entries()
        assert Leaf.objects.count() == 0
        may_commit.set()
        writing.result()

    integrate_entries()
    assert leaf_order() == late + early


def test_eight_concurrent_writers_lose_no_entry_while_the_job_runs(write):
    """Each transaction writes at its beginning and at its end, so that commits overtake one another."""
    writers, transactions = 8, 25
    is_done = threading.Event()

    def write_many(number):
        ids = []
        for turn in range(transactions):
            with transaction.atomic():
                ids += write(1, uuid7())
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(%s)", [(number * 7 + turn * 3) % 5 / 1000])
                ids += write(1)
        return ids

    def keep_integrating():
        while not is_done.is_set():
            integrate_entries(batch=10)

    with ThreadPoolExecutor(writers + 1) as pool:
        integrating = pool.submit(in_thread(keep_integrating))
        writing = [pool.submit(in_thread(write_many), number) for number in range(writers)]
        written = set().union(*(result.result() for result in writing))
        is_done.set()
        integrating.result()
    integrate_entries()

    assert len(written) == 2 * writers * transactions
    assert set(leaf_order()) == written == set(Entry.objects.values_list("id", flat=True))
    assert Checkpoint.objects.count() > 1
    assert verify_log().result == Verification.Result.OK


class KillerKeys(KeysInMemory):
    """Ends the integrating connection on the server, as a crash would, when keys are asked for the n-th time."""

    def __init__(self, call, superuser):
        super().__init__()
        self.call, self.superuser = call, superuser

    def log_keys(self, subject_ids):
        self.call -= 1
        if self.call == 0:
            with self.superuser.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
        return super().log_keys(subject_ids)


@pytest.mark.parametrize("call", [1, 2])
def test_integrate_entries_killed_half_way_leaves_nothing_half(write, owner_connection, call):
    subject = uuid7()
    ids = [*write(5000, subject), *write(1000, uuid7())]
    before = register_key_source(KillerKeys(call, owner_connection("default")))
    with pytest.raises(DatabaseError):
        integrate_entries()
    connection.close()
    assert (Leaf.objects.count(), Checkpoint.objects.count(), newest_outside()) == (0, 0, None)

    register_key_source(before)
    assert integrate_entries() == 6000

    assert leaf_order() == ids
    assert verify_log().result == Verification.Result.OK


def test_integrate_entries_twice_at_once_adds_each_entry_once(write):
    for _ in range(5):
        write(20, uuid7())

    with ThreadPoolExecutor(4) as pool:
        totals = list(pool.map(lambda _: in_thread(integrate_entries)(7), range(4)))

    assert sum(totals) == 100 == Leaf.objects.count()


def test_checkpoint_that_never_got_outside_gets_there_with_the_next_run(write, settings):
    write()
    log = settings.STATE / "log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("in the way of the directory")
    with pytest.raises(NotADirectoryError):
        integrate_entries()
    assert Checkpoint.objects.count() == 1
    log.unlink()

    integrate_entries()

    assert newest_outside().size == 1


@pytest.mark.parametrize("is_rewritten", [False, True])
def test_integrate_entries_of_a_rolled_back_database_is_refused(write, tamper, is_rewritten):
    write(2)
    integrate_entries()
    write(2)
    integrate_entries()
    tamper("DELETE FROM audit_checkpoint WHERE size = 4")
    tamper("DELETE FROM audit_leaf WHERE index >= 2")
    if is_rewritten:
        tamper("DELETE FROM audit_entry WHERE id NOT IN (SELECT entry_id FROM audit_leaf)")
    write(1)

    with pytest.raises(LogRolledBack):
        integrate_entries()

    assert (Leaf.objects.count(), Checkpoint.objects.count()) == (2, 1)
    assert newest_outside().size == 4


def test_integrate_entries_of_another_history_of_the_same_length_is_refused(write, settings):
    write(2)
    integrate_entries()
    (settings.STATE / "log" / "checkpoint").write_text(sign_checkpoint(2, bytes(32)))
    write(1)

    with pytest.raises(LogRolledBack):
        integrate_entries()


def test_integrate_entries_after_a_restore_that_counts_transactions_anew_is_refused(write, tamper):
    write()
    integrate_entries()
    ahead = Checkpoint.objects.get()
    ahead.watermark += 1_000_000
    tamper("UPDATE audit_checkpoint SET watermark = %s, seal = %s", str(ahead.watermark), row_seal(ahead))

    with pytest.raises(TransactionsBehind):
        integrate_entries()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_checkpoint SET frontier = set_byte(frontier, 3, get_byte(frontier, 3) # 1)",
        "UPDATE audit_checkpoint SET root = set_byte(root, 3, get_byte(root, 3) # 1)",
        "UPDATE audit_checkpoint SET note = replace(note, 'log', 'lag')",
    ],
)
def test_integrate_entries_upon_a_damaged_checkpoint_is_refused(write, tamper, settings, change):
    write(3)
    integrate_entries()
    (settings.STATE / "log" / "checkpoint").unlink()
    tamper(change)
    write()

    with pytest.raises(CheckpointBroken):
        integrate_entries()

    assert Leaf.objects.count() == 3


def test_smaller_checkpoint_never_replaces_a_larger_one_outside(write):
    write()
    integrate_entries()
    first = Checkpoint.objects.get().note
    write()
    integrate_entries()

    publish_checkpoint(first)

    assert newest_outside().size == 2
