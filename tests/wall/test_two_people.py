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


@pytest.mark.parametrize("login", [Login.STAFF, Login.WORKER])
@pytest.mark.parametrize("kind", ["matrix-override", "hold-release", "staff-export", "silence"])
def test_nobody_acts_without_the_decision_of_two(door, acts, login, kind):
    connection, admin = door.enter_as(login), door.admin()

    for proposal_id in [*(decision(admin, kind, state) for state in UNDECIDED), decision(admin, "another kind")]:
        with pytest.raises(errors.CheckViolation, match="nobody decided"):
            acts[kind](connection, proposal_id)

    acts[kind](connection, decision(admin, kind))


def test_a_decision_is_about_one_hold(door, hold):
    connection, admin = door.enter_as(Login.STAFF), door.admin()

    with pytest.raises(errors.CheckViolation, match="nobody decided"):
        release(connection, decision(admin, "hold-release", parameters=f'{{"hold": "{uuid4()}"}}'), hold)

    release(connection, decision(admin, "hold-release", parameters=f'{{"hold": "{hold}"}}'), hold)


@pytest.fixture
def exception(door):
    admin, id = door.admin(), str(uuid4())
    asked = '{"role": "support", "purpose": "order", "categories": ["financial"], "days": 3}'
    override = {"role": "support", "purpose": "order", "categories": "{financial}", "ends_at": datetime.now(UTC) + timedelta(days=1)}
    write(admin, "privacy_matrixoverride", id=id, proposal_id=decision(admin, "matrix-override", parameters=asked), **override)
    return id


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


@pytest.fixture
def silence(door, victim):
    """Of one entry, which is returned with it."""
    admin, id, entry = door.admin(), str(uuid4()), str(uuid4())
    proposal_id = decision(admin, "silence", parameters=f'{{"ground": "fraud", "entries": ["{entry}"]}}')
    until = datetime(2099, 1, 1, tzinfo=UTC)
    write(admin, "privacy_silence", id=id, proposal_id=proposal_id, subject_id=str(victim.id), ground="fraud", until=until)
    return id, entry


@pytest.mark.parametrize("login", [Login.STAFF, Login.WORKER])
def test_a_withholding_is_of_the_entries_that_were_decided_and_comes_no_later(door, silence, login):
    connection, (id, entry) = door.enter_as(login), silence
    with pytest.raises(errors.CheckViolation, match="nobody decided"):
        write(connection, "privacy_silencedentry", silence_id=id, entry_id=str(uuid4()))
    write(connection, "privacy_silencedentry", silence_id=id, entry_id=entry)
    run(connection, "UPDATE privacy_silence SET released_at = now(), released_by = gen_random_uuid() WHERE id = %s", id)

    for change in ("until = until + interval '1 day'", "released_at = NULL, released_by = NULL"):
        with pytest.raises((errors.CheckViolation, errors.InsufficientPrivilege)):
            run(connection, f"UPDATE privacy_silence SET {change} WHERE id = %s", id)


def test_a_hold_is_not_shortened_around_its_release(door, hold):
    with pytest.raises(errors.InsufficientPrivilege):
        run(door.enter_as(Login.STAFF), "UPDATE privacy_hold SET until = now() WHERE id = %s", hold)
