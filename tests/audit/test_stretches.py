"""A verification reads the whole log, what is new, or one month; where it begins and ends is proven like everything between."""

from datetime import UTC, date, datetime

import pytest

from audit import portions
from audit.actions import Kind, integrate_entries, verify_log
from audit.checkpoints import row_seal
from audit.identifiers import uuid7
from audit.models import Checkpoint, Entry, Verification
from tests.audit.conftest import assert_fault

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.usefixtures("worker")]

CHANGE = "UPDATE audit_entry SET purpose = 'other' WHERE id = %s"
FLIP_LEAF = "UPDATE audit_leaf SET commitment = set_byte(commitment, 0, get_byte(commitment, 0) # 1) WHERE index = %s"


# What is new


def test_what_is_new_is_read_from_the_last_checkpoint_that_held(log, write):
    verify_log()
    write(3)
    integrate_entries()

    verification = verify_log(kind=Kind.SINCE_LAST)

    assert (verification.result, verification.kind) == (Verification.Result.OK, Kind.SINCE_LAST)
    assert (verification.first_index, verification.entries, verification.held_size) == (7, 4, 11)  # one says that the log was verified


def test_where_nothing_is_new_the_next_one_begins_at_the_same_place(log):
    verify_log()

    for _ in range(2):
        verification = verify_log(kind=Kind.SINCE_LAST)
        assert (verification.first_index, verification.entries, verification.held_size) == (7, 0, 7)


def test_what_changed_before_is_left_to_the_whole_verification(log, tamper):
    verify_log()
    tamper(CHANGE, log[3])

    assert verify_log(kind=Kind.SINCE_LAST).result == Verification.Result.OK
    assert_fault(verify_log(), f"entry {log[3]} at 3 was changed", entry=log[3], index=3)


def test_a_failure_stays_until_its_stretch_was_read_again_and_held(log, tamper):
    verify_log()
    tamper(CHANGE, log[3])
    verify_log()

    again = verify_log(kind=Kind.SINCE_LAST)
    tamper("UPDATE audit_entry SET purpose = 'dispatch' WHERE id = %s", log[3])

    assert_fault(again, f"entry {log[3]} at 3 was changed", entry=log[3], index=3)
    assert again.held_size == 2
    assert verify_log(kind=Kind.SINCE_LAST).result == Verification.Result.OK


def test_a_checkpoint_that_held_and_is_gone_is_named(log, write, tamper):
    verify_log()
    write(3)
    integrate_entries()
    tamper("DELETE FROM audit_checkpoint WHERE size = 7")

    assert_fault(verify_log(kind=Kind.SINCE_LAST), "the checkpoint of 7 entries, which held, is gone")


def test_a_checkpoint_that_held_and_was_changed_is_named(log, tamper):
    verify_log()
    tamper("UPDATE audit_checkpoint SET signed_at = signed_at + interval '1 day' WHERE size = 7")

    assert_fault(verify_log(kind=Kind.SINCE_LAST), "the checkpoint of 7 entries was changed")


def test_damaged_leaves_to_begin_with_are_named(log, tamper):
    verify_log()
    tamper(FLIP_LEAF, 5)

    assert_fault(verify_log(kind=Kind.SINCE_LAST), "the newest leaves or tiles of the 7 that a checkpoint covers are damaged", index=6)


def test_a_checkpoint_kept_outside_from_before_the_stretch_is_left_to_the_whole_verification(log, settings):
    verify_log()
    (settings.STATE / "log" / "days" / "2026-01-01").write_text(Checkpoint.objects.get(size=5).note)

    verification = verify_log(kind=Kind.SINCE_LAST)

    assert (verification.result, verification.first_index) == (Verification.Result.OK, 7)


# One month


LAST_YEAR = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.fixture
def two_months(old_month, write):
    """Three entries of last year, then three of today, the last alone: three checkpoints."""
    ids = [*old_month(LAST_YEAR)]
    integrate_entries()
    ids += write(2, uuid7())
    integrate_entries()
    ids += write(1)
    integrate_entries()
    return ids


def month(ids, place):
    return Entry.objects.get(pk=ids[place]).at.date()


def test_a_month_is_read_by_the_places_of_its_entries(two_months, tamper):
    for place, (first, number) in {0: (0, 3), 3: (3, 3)}.items():
        verification = verify_log(kind=Kind.MONTH, month=month(two_months, place))
        assert (verification.result, verification.first_index, verification.entries) == (Verification.Result.OK, first, number)

    tamper(CHANGE, two_months[4])

    assert verify_log(kind=Kind.MONTH, month=LAST_YEAR.date()).result == Verification.Result.OK
    found = verify_log(kind=Kind.MONTH, month=month(two_months, 4))
    assert_fault(found, f"entry {two_months[4]} at 4 was changed", entry=two_months[4], index=4)


def test_a_month_without_entries_is_no_fault(log):
    earlier = verify_log(kind=Kind.MONTH, month=date(2020, 2, 1))

    assert (earlier.result, earlier.entries) == (Verification.Result.OK, 0)


# Where portions end


def test_portions_of_any_length_find_the_same(log, tamper, monkeypatch):
    for length in (1, 2, 3, 7):
        monkeypatch.setattr(portions, "PORTION", length)
        verification = verify_log()
        assert (verification.result, verification.entries, verification.checkpoints) == (Verification.Result.OK, 7, 3)
    tamper(CHANGE, log[3])
    for length in (1, 2, 3, 7):
        monkeypatch.setattr(portions, "PORTION", length)
        assert_fault(verify_log(), f"entry {log[3]} at 3 was changed", entry=log[3], index=3, checkpoints=1)


def test_a_frontier_that_was_sealed_with_the_houses_own_key_is_compared_with_the_leaves(log, tamper):
    row = Checkpoint.objects.get(size=5)
    row.frontier = bytes(64)
    tamper("UPDATE audit_checkpoint SET frontier = %s, seal = %s WHERE size = 5", row.frontier, row_seal(row))

    assert_fault(verify_log(), "the frontier of the checkpoint of 5 entries is damaged", checkpoints=1)


def test_what_is_different_at_a_second_look_is_not_passed(log, keys, monkeypatch):
    """The keys come back between the two: no entry can be named, and yet the first look failed."""
    known_keys, looks = keys.known_keys, []

    def come_back(key_ids):
        looks.append(key_ids)
        return known_keys(key_ids) if len(looks) > 1 else {}

    monkeypatch.setattr(keys, "known_keys", come_back)

    assert_fault(verify_log(), "the log from 0 to 7 changed while it was read")
