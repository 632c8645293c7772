"""The wall stands on what is around it: take one support away, in a database of the test's own, and the attack works."""

from contextlib import closing, contextmanager
from uuid import uuid4

import psycopg2
import pytest
from psycopg2 import errors

from privacy.wall.logins import Login
from tests.wall.people import enter, insert
from tests.wall.test_attacks import ADDRESS, DETAIL, SEARCHED, attempt, found_by_halves, look_around, plan, run

pytestmark = pytest.mark.promise("PROTECT-2")


@pytest.fixture
def admin(spoiled):
    return spoiled.admin()


def customer(spoiled, person=None):
    connection = spoiled.enter_as(Login.CUSTOMER)
    if person:
        enter(connection, person)
    return connection


def after(connection, person, statement):
    """What the customer sees once the administrator has spoiled something."""
    run(connection, "COMMIT")
    enter(connection, person)
    return str(attempt(connection, statement)) + look_around(connection)


# The policies themselves


def test_with_the_policy_dropped_everybodys_rows_show(spoiled, admin, attacker, victim):
    connection = customer(spoiled, attacker)
    assert not victim.is_told_by(look_around(connection))

    run(admin, "SET lock_timeout = '5s'")
    run(connection, "COMMIT")
    run(admin, "DROP POLICY wall_own ON orders_orderaddress")

    assert victim.is_told_by(after(connection, attacker, "SELECT 1"))


def test_a_policy_that_is_added_later_opens_nothing(spoiled, admin, attacker, victim):
    run(admin, "CREATE POLICY later ON orders_orderaddress TO PUBLIC USING (true)")
    connection = customer(spoiled, attacker)

    assert not victim.is_told_by(look_around(connection))
    run(connection, "COMMIT")
    run(admin, "DROP POLICY wall_own ON orders_orderaddress")
    run(admin, "CREATE POLICY wall_own ON orders_orderaddress TO market_customer USING (subject_id = (SELECT wall.current_subject()))")

    assert victim.is_told_by(after(connection, attacker, "SELECT 1"))


def test_a_view_of_the_owner_is_empty_while_the_wall_is_forced(spoiled, admin, attacker, victim):
    owner = spoiled.cluster.connect(spoiled.database, "market_owner")
    run(owner, "CREATE VIEW addresses AS SELECT * FROM orders_orderaddress; GRANT SELECT ON addresses TO market_customer")
    owner.close()
    connection = customer(spoiled, attacker)
    assert not victim.is_told_by(str(run(connection, "SELECT * FROM addresses")))

    run(connection, "COMMIT")
    run(admin, "ALTER TABLE orders_orderaddress NO FORCE ROW LEVEL SECURITY")

    assert victim.is_told_by(after(connection, attacker, "SELECT * FROM addresses"))


def test_a_function_of_a_superuser_reads_past_everything(spoiled, admin, attacker, victim):
    """So none is granted: tests/rules counts them."""
    connection = customer(spoiled, attacker)
    assert "does not exist" in attempt(connection, "SELECT subjects()")

    run(connection, "ROLLBACK")
    run(admin, "CREATE FUNCTION subjects() RETURNS SETOF uuid LANGUAGE sql SECURITY DEFINER AS 'SELECT id FROM privacy_subject'")

    assert victim.is_told_by(after(connection, attacker, "SELECT subjects()"))


def test_a_single_foreign_key_joins_two_people(spoiled, admin, attacker, victim):
    worker = spoiled.enter_as(Login.WORKER)
    with pytest.raises(errors.ForeignKeyViolation):
        run(worker, ADDRESS, str(attacker.id), str(victim.order))

    run(admin, "ALTER TABLE orders_orderaddress DROP CONSTRAINT orders_orderaddress_order_id_of_person")
    run(admin, "ALTER TABLE orders_orderaddress ADD CONSTRAINT single FOREIGN KEY (order_id) REFERENCES orders_order (id)")

    run(worker, ADDRESS, str(attacker.id), str(victim.order))
    absent = attempt(worker, ADDRESS, str(attacker.id), str(uuid4()))
    assert "violates foreign key" in absent, "and it tells which orders there are"


def test_a_check_that_forgets_the_parent_joins_two_people(spoiled, admin, attacker, victim):
    connection = customer(spoiled, attacker)
    assert "row-level security" in attempt(connection, DETAIL, str(attacker.id), str(victim.payment))

    run(connection, "ROLLBACK")
    run(admin, "ALTER POLICY wall_own ON orders_paymentdetail WITH CHECK (subject_id = (SELECT wall.current_subject()))")
    enter(connection, attacker)

    run(connection, DETAIL, str(attacker.id), str(victim.payment))


# 1. Nothing can be made on a connection


def test_a_temporary_table_would_catch_the_next_customers_rows(spoiled, admin, attacker, victim):
    connection = customer(spoiled)
    trap = "CREATE TEMP TABLE orders_orderaddress AS SELECT * FROM public.orders_orderaddress WHERE false"
    enter(connection, attacker)
    assert "permission denied" in attempt(connection, trap)
    run(connection, "ROLLBACK")

    run(admin, f'GRANT TEMP ON DATABASE "{spoiled.database}" TO market_customer')
    enter(connection, attacker)
    run(connection, trap)
    run(connection, "COMMIT")
    enter(connection, victim)
    run(connection, ADDRESS, str(victim.id), str(victim.order))
    run(connection, "COMMIT")
    enter(connection, attacker)

    assert victim.is_told_by(str(run(connection, "SELECT * FROM pg_temp.orders_orderaddress")))


def test_a_function_in_a_schema_would_catch_what_the_next_customer_asks_for(spoiled, admin, attacker, victim):
    """Named as one of PostgreSQL's own, for a kind of text that fits better."""
    connection = customer(spoiled, attacker)
    trap = (
        "CREATE TABLE caught (title text); CREATE FUNCTION upper(varchar) RETURNS text LANGUAGE sql"
        " AS 'INSERT INTO caught VALUES ($1) RETURNING title'"
    )
    assert "permission denied for schema public" in attempt(connection, trap)
    run(connection, "ROLLBACK")

    run(admin, "GRANT CREATE ON SCHEMA public TO market_customer")
    run(connection, trap)
    enter(connection, victim)
    run(connection, "SELECT upper(title) FROM orders_orderline")
    run(connection, "COMMIT")
    enter(connection, attacker)

    assert victim.is_told_by(str(run(connection, "SELECT * FROM caught")))


@pytest.fixture
def stranger(admin):
    """A role of the server that is none of ours."""
    run(admin, "CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
    yield {"user": "stranger", "password": "stranger"}
    run(admin, "DROP ROLE stranger")


def test_any_role_of_the_server_would_come_in_and_count_our_people(spoiled, admin, stranger, victim):
    door = stranger | {"host": str(spoiled.cluster.servers.layout.sockets), "port": spoiled.port, "dbname": spoiled.database}
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(**door)

    run(admin, f'GRANT CONNECT ON DATABASE "{spoiled.database}" TO PUBLIC')
    run(admin, "ANALYZE privacy_subject")

    with closing(psycopg2.connect(**door)) as connection:
        assert run(connection, "SELECT reltuples FROM pg_class WHERE relname = 'privacy_subject'") == [(1.0,)]


# 2. Nothing stays on a connection


@contextmanager
def served(connection, person, *, wiped):
    """The same connection, one customer's request after another's."""
    if wiped:
        run(connection, "DISCARD ALL")
    enter(connection, person)
    yield
    run(connection, "COMMIT")


@pytest.mark.parametrize("wiped", [True, False])
def test_a_held_cursor_would_be_read_by_the_next_customer(spoiled, attacker, victim, wiped):
    connection = customer(spoiled)
    with served(connection, victim, wiped=wiped):
        run(connection, "DECLARE held CURSOR WITH HOLD FOR SELECT * FROM orders_orderaddress")

    with served(connection, attacker, wiped=wiped):
        told = victim.is_told_by(str(attempt(connection, "SELECT statement FROM pg_cursors"))) or "(" in str(rows_left(connection))

    assert told is not wiped


def rows_left(connection):
    run(connection, "SAVEPOINT before")
    rows = attempt(connection, "FETCH ALL FROM held")
    if isinstance(rows, str):
        run(connection, "ROLLBACK TO before")
        return ""
    return rows


@pytest.mark.parametrize("wiped", [True, False])
def test_a_swapped_statement_would_keep_the_next_customers_rows(spoiled, attacker, victim, wiped):
    connection = customer(spoiled)
    stash = "PREPARE read AS SELECT set_config('mine.stash', (SELECT string_agg(id::text, ',') FROM orders_order), false)"
    with served(connection, attacker, wiped=wiped):
        run(connection, stash)

    with served(connection, victim, wiped=wiped):
        run(connection, "SAVEPOINT before")
        if "does not exist" in str(attempt(connection, "EXECUTE read")):
            run(connection, "ROLLBACK TO before")

    with served(connection, attacker, wiped=wiped):
        assert victim.is_told_by(str(run(connection, "SELECT current_setting('mine.stash', true)"))) is not wiped


# 3. Nobody sees or disturbs a neighbor


@pytest.mark.parametrize("login", [Login.CUSTOMER, Login.GATE])
def test_a_neighbors_query_would_show(spoiled, admin, victim, login):
    busy, nosy = spoiled.enter_as(login), spoiled.enter_as(login)
    run(busy, f"SELECT '{victim.secret}'")
    assert "permission denied" in attempt(nosy, "SELECT query FROM pg_stat_activity")

    run(admin, "GRANT SELECT ON pg_stat_activity TO PUBLIC; GRANT EXECUTE ON FUNCTION pg_stat_get_activity(integer) TO PUBLIC")
    assert not victim.is_told_by(str(run(nosy, "SELECT query FROM pg_stat_activity"))), "track_activities is off"

    role = f"market_{login}"
    run(admin, f"ALTER ROLE {role} RESET track_activities")
    try:
        busy = spoiled.enter_as(login)
        run(busy, f"SELECT '{victim.secret}'")
        assert victim.is_told_by(str(run(nosy, "SELECT query FROM pg_stat_activity")))
    finally:
        run(admin, f"ALTER ROLE {role} SET track_activities = off")


def test_a_neighbors_connection_would_be_ended(spoiled, admin):
    busy, rude = spoiled.enter_as(Login.CUSTOMER), spoiled.enter_as(Login.CUSTOMER)
    pid = busy.info.backend_pid
    assert "permission denied" in attempt(rude, "SELECT pg_terminate_backend(%s)", pid)

    run(admin, "GRANT EXECUTE ON FUNCTION pg_terminate_backend(integer, bigint) TO PUBLIC")

    assert run(rude, "SELECT pg_terminate_backend(%s)", pid) == [(True,)]


def test_a_large_object_would_be_everybodys(spoiled, admin, attacker, victim):
    theirs = customer(spoiled, victim)
    assert "permission denied" in attempt(theirs, "SELECT lo_from_bytea(0, 'x')")
    run(theirs, "ROLLBACK")

    run(admin, "GRANT EXECUTE ON FUNCTION lo_from_bytea(oid, bytea) TO PUBLIC")
    ((number,),) = run(theirs, "SELECT lo_from_bytea(0, %s)", victim.secret.encode())

    mine = customer(spoiled, attacker)
    ((kept,),) = run(mine, "SELECT lo_get(%s)", number)
    assert bytes(kept).decode() == victim.secret


# 4. No index tells of other people


def test_an_index_across_people_would_tell_their_values(spoiled, admin, attacker, victim):
    """The policy hides the row; EXPLAIN ANALYZE counts the rows that it hid."""
    run(admin, "UPDATE orders_orderaddress SET country = 'QQ' WHERE subject_id = %s", str(victim.id))
    connection = customer(spoiled)
    question = "SELECT 1 FROM orders_orderaddress WHERE country = '{}' ORDER BY country LIMIT 1"

    def answers():
        enter(connection, attacker)
        run(connection, "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        found = [plan(connection, question, country) for country in ("QQ", "ZZ")]
        run(connection, "COMMIT")
        return found

    there, absent = answers()
    assert there == absent

    run(admin, "CREATE INDEX telling ON orders_orderaddress (country)")
    with admin.cursor() as cursor:  # enough of others that the planner prefers the country to the person
        for _ in range(300):
            order = str(uuid4())
            insert(cursor, "orders_order", id=order, subject_id=str(attacker.id), code=order[:10], state="pending_payment")
            insert(cursor, "orders_orderaddress", subject_id=str(attacker.id), order_id=order, country="DE")
    run(admin, "ANALYZE orders_orderaddress")

    there, absent = answers()
    assert there != absent


@pytest.mark.parametrize("column", SEARCHED)
def test_a_unique_value_that_is_sorted_would_be_read_bit_by_bit(spoiled, admin, attacker, victim, column):
    ((theirs,),) = run(admin, f"SELECT {column}::text FROM orders_order WHERE subject_id = %s", str(victim.id))
    connection = customer(spoiled, attacker)
    assert found_by_halves(connection, column) != theirs

    run(connection, "COMMIT")
    run(admin, f"ALTER TABLE orders_order ADD CONSTRAINT sorted UNIQUE ({column})")
    enter(connection, attacker)

    assert found_by_halves(connection, column) == theirs


# 5. No session, no password


def test_a_session_that_could_be_read_would_make_the_attacker_another_customer(spoiled, admin, attacker, victim):
    connection = customer(spoiled, attacker)
    assert "permission denied" in attempt(connection, "SELECT session_data FROM accounts_accountsession")

    run(connection, "ROLLBACK")
    run(admin, "GRANT SELECT ON accounts_accountsession TO market_customer")

    assert victim.is_told_by(after(connection, attacker, "SELECT session_data FROM accounts_accountsession"))


# 6. Nobody who is above the wall reads for others, and rights are by column


def test_a_view_of_a_superuser_shows_everybodys_rows(spoiled, admin, attacker, victim):
    """So there is none: tests/rules counts them."""
    connection = customer(spoiled, attacker)
    assert "does not exist" in attempt(connection, "SELECT * FROM addresses")

    run(connection, "ROLLBACK")
    run(admin, "CREATE VIEW addresses AS SELECT * FROM orders_orderaddress; GRANT SELECT ON addresses TO market_customer")

    assert victim.is_told_by(after(connection, attacker, "SELECT * FROM addresses"))


@pytest.mark.parametrize("login", [Login.STAFF, Login.AUDITOR, Login.CUSTOMER])
def test_a_password_that_could_be_read_would_be(spoiled, admin, victim, login):
    connection = spoiled.enter_as(login)
    enter(connection, victim)
    assert "permission denied" in attempt(connection, "SELECT password FROM accounts_user")

    run(connection, "ROLLBACK")
    run(admin, f"GRANT SELECT (password) ON accounts_user TO market_{login}")
    enter(connection, victim)

    assert victim.is_told_by(str(run(connection, "SELECT password FROM accounts_user")))


def test_a_link_that_staff_could_write_would_open_any_account(spoiled, admin, victim):
    connection = spoiled.enter_as(Login.STAFF)
    link = (
        "INSERT INTO accounts_accounttoken (id, kind, user_id, digest, created_at, expires_at)"
        " VALUES (gen_random_uuid(), 'reset', %s, 'mine', now(), now() + interval '1 day')"
    )
    assert "permission denied" in attempt(connection, link, str(victim.account))

    run(admin, "GRANT INSERT ON accounts_accounttoken TO market_staff")

    assert run(connection, link, str(victim.account)) == []


def test_a_whole_row_that_could_be_changed_would_be_paid(spoiled, admin, attacker):
    connection = customer(spoiled, attacker)
    paid = "UPDATE orders_payment SET state = 'captured' RETURNING state"
    assert "permission denied" in attempt(connection, paid)

    run(connection, "ROLLBACK")
    run(admin, "GRANT UPDATE ON orders_payment TO market_customer")
    enter(connection, attacker)

    assert run(connection, paid) == [("captured",)]


def test_without_its_trigger_an_account_would_be_closed_with_its_password(spoiled, admin, victim):
    run(admin, "DROP TRIGGER closed_without_password ON accounts_user")

    run(spoiled.enter_as(Login.STAFF), "UPDATE accounts_user SET closed_at = now() WHERE id = %s", str(victim.account))

    assert run(admin, "SELECT password FROM accounts_user WHERE id = %s", str(victim.account)) == [(victim.secret,)]


# The token


def test_a_key_that_could_be_read_would_sign_for_anybody(spoiled, admin, attacker):
    connection = customer(spoiled, attacker)
    assert "permission denied" in attempt(connection, "SELECT ipad FROM wall.signing_key")

    run(connection, "ROLLBACK")
    run(admin, "GRANT SELECT ON wall.signing_key TO market_customer")

    assert len(run(connection, "SELECT ipad FROM wall.signing_key")) == 1
