"""What two people must decide is in the database only with their decision, whoever writes it."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from psycopg2 import errors

from privacy.wall.logins import Login
from tests.wall.people import insert
from tests.wall.test_attacks import run

pytestmark = [pytest.mark.promise("PROTECT-3"), pytest.mark.promise("COLLECT-5")]

UNDECIDED = ("proposed", "approved", "failed", "refused", "withdrawn", "expired")


def decision(admin, kind, state="performed", parameters="{}"):
    """A proposal that got this far."""
    id, now = str(uuid4()), datetime.now(UTC)
    values = {"id": id, "kind": kind, "state": state, "parameters": parameters, "result": "{}", "decided_role": ""}
    if state in ("approved", "performed", "failed", "refused"):
        values |= {"decided_by": str(uuid4()), "decided_at": now, "decided_role": "administrator", "fingerprint": "f"}
    if state not in ("proposed", "approved"):
        values["ended_at"] = now
    with admin.cursor() as cursor:
        insert(cursor, "privacy_proposal", **values)
    return id


def write(connection, table, **values):
    with connection.cursor() as cursor:
        insert(cursor, table, **values)


def release(connection, proposal_id, hold):
    run(connection, "UPDATE privacy_hold SET released_at = now(), release_id = %s WHERE id = %s", proposal_id, hold)


@pytest.fixture
def hold(door, victim):
    id = str(uuid4())
    write(door.admin(), "privacy_hold", id=id, subject_id=str(victim.id), ground="claims", until=datetime.now(UTC))
    return id


@pytest.fixture
def acts(victim, hold):
    """How each is written, by the kind of its decision."""
    override = {"role": "support", "purpose": "order", "categories": "{financial}"}
    return {
        "matrix-override": lambda connection, asked: write(connection, "privacy_matrixoverride", proposal_id=asked, **override),
        "hold-release": partial(release, hold=hold),
        "staff-export": lambda connection, asked: write(connection, "privacy_staffexport", proposal_id=asked, subject_ids="{}"),
        "silence": lambda connection, asked: write(
            connection, "privacy_silence", proposal_id=asked, subject_id=str(victim.id), until=datetime(2099, 1, 1, tzinfo=UTC)
        ),
    }


KINDS = ["matrix-override", "hold-release", "staff-export", "silence"]


@pytest.mark.parametrize("kind", KINDS)
def test_staff_only_decide_and_the_worker_acts(door, acts, kind):
    with pytest.raises(errors.InsufficientPrivilege):
        acts[kind](door.enter_as(Login.STAFF), decision(door.admin(), kind))


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_acts_without_the_decision_of_two(door, acts, kind):
    connection, admin = door.enter_as(Login.WORKER), door.admin()

    for proposal_id in [*(decision(admin, kind, state) for state in UNDECIDED), decision(admin, "another kind")]:
        with pytest.raises(errors.CheckViolation, match="nobody decided"):
            acts[kind](connection, proposal_id)

    acts[kind](connection, decision(admin, kind))


def test_a_decision_is_about_one_hold(door, hold):
    connection, admin = door.enter_as(Login.WORKER), door.admin()

    with pytest.raises(errors.CheckViolation, match="nobody decided"):
        release(connection, decision(admin, "hold-release", parameters=f'{{"hold": "{uuid4()}"}}'), hold)

    release(connection, decision(admin, "hold-release", parameters=f'{{"hold": "{hold}"}}'), hold)


NOW = datetime.now(UTC)


def except_for(connection, admin, days, asked_days=3):
    id, asked = str(uuid4()), f'{{"role": "support", "purpose": "order", "categories": ["financial"], "days": {asked_days}}}'
    override = {"role": "support", "purpose": "order", "categories": "{financial}", "begins_at": NOW, "ends_at": NOW + timedelta(days=days)}
    write(connection, "privacy_matrixoverride", id=id, proposal_id=decision(admin, "matrix-override", parameters=asked), **override)
    return id


@pytest.fixture
def exception(door):
    return except_for(door.admin(), door.admin(), days=1)


def test_an_exception_lasts_no_longer_than_was_decided(door):
    connection, admin = door.enter_as(Login.WORKER), door.admin()

    except_for(connection, admin, days=3)
    with pytest.raises(errors.CheckViolation, match="nobody decided"):
        except_for(connection, admin, days=4)


@pytest.mark.parametrize("change", ["role = 'fraud'", "purpose = 'payment'", "categories = '{financial,messages}'", "proposal_id = %s"])
def test_an_exception_stays_as_it_was_decided(door, exception, change):
    other = [decision(door.admin(), "matrix-override", "proposed")] if "%s" in change else []
    statement = f"UPDATE privacy_matrixoverride SET {change} WHERE id = %s"

    with pytest.raises(errors.CheckViolation, match="nobody decided"):
        run(door.enter_as(Login.WORKER), statement, *other, exception)
    with pytest.raises(errors.InsufficientPrivilege):
        run(door.enter_as(Login.STAFF), statement, *other, exception)


@pytest.mark.parametrize("login", [Login.STAFF, Login.WORKER])
def test_an_exception_that_ended_stays_ended(door, exception, login):
    connection = door.enter_as(login)
    run(connection, "UPDATE privacy_matrixoverride SET ends_at = now() + interval '1 hour' WHERE id = %s", exception)

    for change in ("ends_at = ends_at + interval '1 day'", "begins_at = now(), ends_at = now() + interval '14 days'"):
        with pytest.raises((errors.CheckViolation, errors.InsufficientPrivilege)):
            run(connection, f"UPDATE privacy_matrixoverride SET {change} WHERE id = %s", exception)


def withhold(connection, admin, victim, days):
    """One entry, which is returned with the decision about it: for three days."""
    id, entry, until = str(uuid4()), str(uuid4()), NOW + timedelta(days=days)
    asked = f'{{"ground": "fraud", "entries": ["{entry}"], "until": "{(NOW + timedelta(days=3)).isoformat()}"}}'
    values = {"subject_id": str(victim.id), "ground": "fraud", "begun_at": NOW, "until": until}
    write(connection, "privacy_silence", id=id, proposal_id=decision(admin, "silence", parameters=asked), **values)
    return id, entry


def test_a_withholding_lasts_no_longer_than_was_decided(door, victim):
    connection, admin = door.enter_as(Login.WORKER), door.admin()

    withhold(connection, admin, victim, days=3)
    with pytest.raises(errors.CheckViolation, match="nobody decided"):
        withhold(connection, admin, victim, days=4)


@pytest.mark.parametrize("login", [Login.STAFF, Login.WORKER])
def test_a_withholding_is_of_the_entries_that_were_decided_and_comes_no_later(door, victim, login):
    connection, admin, worker = door.enter_as(login), door.admin(), door.enter_as(Login.WORKER)
    id, entry = withhold(admin, admin, victim, days=2)
    with pytest.raises((errors.CheckViolation, errors.InsufficientPrivilege)):
        write(connection, "privacy_silencedentry", silence_id=id, entry_id=str(uuid4()))
    write(worker, "privacy_silencedentry", silence_id=id, entry_id=entry)
    run(connection, "UPDATE privacy_silence SET released_at = now(), released_by = gen_random_uuid() WHERE id = %s", id)

    for change in ("until = until + interval '1 hour'", "released_at = NULL, released_by = NULL"):
        with pytest.raises((errors.CheckViolation, errors.InsufficientPrivilege)):
            run(connection, f"UPDATE privacy_silence SET {change} WHERE id = %s", id)


@pytest.mark.parametrize("login", [Login.STAFF, Login.WORKER])
def test_a_hold_stays_as_it_was_placed(door, hold, login):
    for change in ("until = now()", "until = now() + interval '9 years'", "ground = 'tax_audit'", "placed_by = gen_random_uuid()"):
        with pytest.raises((errors.CheckViolation, errors.InsufficientPrivilege)):
            run(door.enter_as(login), f"UPDATE privacy_hold SET {change} WHERE id = %s", hold)


def test_a_released_hold_is_not_brought_back(door, hold):
    connection = door.enter_as(Login.WORKER)
    release(connection, decision(door.admin(), "hold-release"), hold)

    with pytest.raises(errors.CheckViolation, match="what ended"):
        run(connection, "UPDATE privacy_hold SET released_at = NULL, release_id = NULL WHERE id = %s", hold)


@pytest.mark.parametrize("login", [Login.STAFF, Login.WORKER])
def test_a_question_stays_as_it_was_decided(door, login):
    connection, admin = door.enter_as(login), door.admin()
    asked, decided = decision(admin, "silence", "proposed"), decision(admin, "silence")

    for change in ("parameters = '{\"entries\": []}'", "kind = 'staff-export'", "proposed_by = gen_random_uuid()"):
        with pytest.raises((errors.CheckViolation, errors.InsufficientPrivilege)):
            run(connection, f"UPDATE privacy_proposal SET {change} WHERE id = %s", asked)
    with pytest.raises(errors.CheckViolation, match="what ended"):
        run(connection, "UPDATE privacy_proposal SET state = 'failed' WHERE id = %s", decided)


def test_an_exception_begins_when_it_was_made(door, exception):
    with pytest.raises(errors.CheckViolation, match="stays as it was asked"):
        run(
            door.enter_as(Login.WORKER),
            "UPDATE privacy_matrixoverride SET begins_at = begins_at - interval '1 day' WHERE id = %s",
            exception,
        )


def test_what_has_ended_is_not_dated_back(door, victim):
    staff, admin = door.enter_as(Login.STAFF), door.admin()
    exception, (silence, _entry) = except_for(admin, admin, days=1), withhold(admin, admin, victim, days=2)
    run(staff, "UPDATE privacy_matrixoverride SET ends_at = now() WHERE id = %s", exception)
    run(staff, "UPDATE privacy_silence SET released_at = now(), released_by = gen_random_uuid() WHERE id = %s", silence)

    with pytest.raises(errors.CheckViolation, match="not once it came"):
        run(staff, "UPDATE privacy_matrixoverride SET ends_at = begins_at WHERE id = %s", exception)
    with pytest.raises(errors.CheckViolation, match="what ended"):
        run(staff, "UPDATE privacy_silence SET released_at = begun_at WHERE id = %s", silence)


def test_nothing_of_it_is_deleted(door, victim, hold):
    worker, admin = door.enter_as(Login.WORKER), door.admin()
    exception, (silence, entry) = except_for(admin, admin, days=1), withhold(admin, admin, victim, days=2)
    write(admin, "privacy_silencedentry", silence_id=silence, entry_id=entry)
    export, asked = str(uuid4()), decision(admin, "staff-export")
    write(admin, "privacy_staffexport", id=export, proposal_id=asked, subject_ids="{}")

    for table, condition in {
        "privacy_matrixoverride": f"id = '{exception}'",
        "privacy_hold": f"id = '{hold}'",
        "privacy_silencedentry": f"entry_id = '{entry}'",
        "privacy_silence": f"id = '{silence}'",
        "privacy_staffexport": f"id = '{export}'",
        "privacy_proposal": f"id = '{asked}'",
    }.items():
        with pytest.raises(errors.CheckViolation, match=f"rows of {table} stay"):
            run(worker, f"DELETE FROM {table} WHERE {condition}")
