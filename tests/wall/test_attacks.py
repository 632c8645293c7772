"""SQL on a customer's own connection, inside a transaction that was signed for that customer, against another one's rows.

Each attack runs as an injection would: stacked statements, on a real login, with what it commits really committed.
What it cannot prevent stands at the end.
"""

import io
from uuid import UUID, uuid4

import psycopg2
import pytest
from psycopg2 import errors

from audit.identifiers import uuid7
from privacy.wall.logins import Login
from tests.wall.people import THIS_TRANSACTION, enter, use

pytestmark = pytest.mark.promise("PROTECT-2")

LOOKS = (
    "SELECT * FROM orders_orderaddress",
    "SELECT * FROM orders_orderline",
    "SELECT * FROM orders_order",
    "SELECT * FROM accounts_accountdetails",
    "SELECT * FROM audit_entry",
    "SELECT id FROM accounts_user",
    "SELECT * FROM privacy_subject",
)


def run(connection, statement, *parameters):
    """The rows of the last statement; an attack that fails leaves its transaction as failed as it makes it."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def attempt(connection, statement, *parameters):
    """The same, with the error in place of rows."""
    try:
        return run(connection, statement, *parameters)
    except psycopg2.Error as error:
        return str(error)


def look_around(connection):
    """Everything that this connection is shown now, in this transaction or without one."""
    return "".join(
        str([bytes(cell).hex() if isinstance(cell, memoryview) else cell for row in rows_of(connection, look) for cell in row])
        for look in LOOKS
    )


def rows_of(connection, statement):
    rows = attempt(connection, statement)
    return rows if isinstance(rows, list) else [(rows,)]


def test_the_wall_shows_the_customer_their_own_rows(door, attacker, victim):
    connection = door.enter_as(Login.CUSTOMER)

    enter(connection, attacker)

    assert attacker.is_told_by(look_around(connection))
    assert attacker.secret.encode().hex() in look_around(connection)


def test_what_is_looked_for_can_be_found(door, victim):
    """By staff, with the same eyes: the attacks below would show it if they got through."""
    assert victim.is_told_by(look_around(door.enter_as(Login.STAFF)))


FORGED = "'{key}.{victim}.' || pg_backend_pid() || '.' || (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint || '.{mac}'"

ATTACKS = {
    "forgotten where": "SELECT 1",
    "moved in a subquery": "SELECT (SELECT set_config('wall.token', {forged}, true))",
    "moved for the session": "SELECT set_config('wall.token', {forged}, false)",
    "moved through xml": "SELECT query_to_xml($q$SELECT set_config('wall.token', {forged}, true)$q$, true, true, '')",
    "stacked set": "SET wall.token = '{victim}'",
    "stacked set local": "SET LOCAL wall.token = '{victim}'",
    "the name of another prototype": "SET app.subject = '{victim}'; SET app.token = '{victim}'",
    "emptied": "SET wall.token = ''",
    "reset": "RESET wall.token",
    "discarded": "RESET ALL",
    "staff's role": "SET ROLE market_staff",
    "staff's role for the transaction": "SET LOCAL ROLE market_staff",
    "worker's role after a reset": "RESET ROLE; SET ROLE market_worker",
    "role in a block": "DO $$ BEGIN EXECUTE 'SET ROLE market_staff'; END $$",
    "owner's role": "SET ROLE market_owner",
    "guard's role": "SET ROLE market_guard",
    "session of staff": "SET SESSION AUTHORIZATION market_staff",
    "session of the superuser": "RESET SESSION AUTHORIZATION; SET ROLE postgres",
    "row security off": "SET row_security = off",
    "a new transaction": "COMMIT; BEGIN; SET LOCAL wall.token = '{victim}'",
    "a new transaction, forged": "COMMIT; BEGIN; SELECT set_config('wall.token', {forged}, true)",
    "another role in a new transaction": "COMMIT; BEGIN; SET ROLE market_staff",
    "replica": "SET session_replication_role = replica",
    "function in a temporary schema": "CREATE FUNCTION pg_temp.current_setting(text, boolean) RETURNS text LANGUAGE sql AS $$SELECT '{victim}'$$",
    "function in a schema of its own": "CREATE SCHEMA mine; SET search_path = mine, pg_catalog",
    "path": "SET search_path = pg_temp, public, pg_catalog",
    "operator": "CREATE OPERATOR pg_temp.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = pg_catalog.uuid_ne)",
    "key in a temporary table": "CREATE TEMP TABLE signing_key (id text, ipad bytea, opad bytea)",
    "function replaced": "CREATE OR REPLACE FUNCTION wall.current_subject() RETURNS uuid LANGUAGE sql AS $$SELECT '{victim}'::uuid$$",
    "function altered": "ALTER FUNCTION wall.current_subject() SET search_path = public",
    "wall off": "ALTER TABLE orders_orderaddress DISABLE ROW LEVEL SECURITY",
    "force off": "ALTER TABLE orders_orderaddress NO FORCE ROW LEVEL SECURITY",
    "policy dropped": "DROP POLICY wall_own ON orders_orderaddress",
    "policy added": "CREATE POLICY mine ON orders_orderaddress TO PUBLIC USING (true)",
    "grant to oneself": "GRANT market_staff TO market_customer",
    "grant of a table": "GRANT ALL ON accounts_accountsession TO market_customer",
    "table read": "TABLE accounts_accountsession",
    "password read": "SELECT password FROM accounts_user",
    "sample": "SELECT * FROM orders_orderaddress TABLESAMPLE BERNOULLI (100)",
    "xml of a table": "SELECT table_to_xml('orders_orderaddress', true, true, '')",
    "statistics": "SELECT most_common_vals::text FROM pg_stats WHERE tablename IN ('orders_orderaddress', 'privacy_subject')",
    "statistics themselves": "SELECT * FROM pg_statistic",
    "locked read": "SELECT * FROM orders_orderaddress FOR UPDATE",
    "prepared": "PREPARE mine AS SELECT * FROM orders_orderaddress; EXECUTE mine",
    "cursor": "DECLARE mine CURSOR FOR SELECT * FROM orders_orderaddress; FETCH ALL FROM mine",
    "lateral": "SELECT a.* FROM privacy_subject s CROSS JOIN LATERAL (SELECT * FROM orders_orderaddress WHERE subject_id <> s.id) a",
    "with its own update": "WITH gone AS (UPDATE orders_orderaddress SET country = 'FR' RETURNING *) SELECT * FROM gone",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_statement_shows_another_persons_rows(door, attacker, victim, name):
    connection = door.enter_as(Login.CUSTOMER)
    token = enter(connection, attacker)
    forged = FORGED.format(key=token.split(".")[0], victim=victim.id, mac="00" * 32)

    answer = attempt(connection, ATTACKS[name].replace("{forged}", forged).replace("{victim}", str(victim.id)))
    seen = [str(answer).replace(str(victim.id), "the id that the attack named"), look_around(connection)]
    attempt(connection, "ROLLBACK")
    seen.append(look_around(connection))

    assert not victim.is_told_by("".join(seen))
    assert run(connection, "SELECT current_user") == [("market_customer",)]


REFUSED = {
    "key read": "SELECT * FROM wall.signing_key",
    "key written": "INSERT INTO wall.signing_key VALUES ('x', '', '')",
    "key overwritten": "UPDATE wall.signing_key SET ipad = '', opad = ''",
    "function replaced": "CREATE OR REPLACE FUNCTION wall.current_subject() RETURNS uuid LANGUAGE sql AS $$SELECT NULL::uuid$$",
    "wall off": "ALTER TABLE orders_orderaddress DISABLE ROW LEVEL SECURITY",
    "policy dropped": "DROP POLICY wall_own ON orders_orderaddress",
    "policy added": "CREATE POLICY mine ON orders_orderaddress USING (true)",
    "rule": "CREATE RULE mine AS ON SELECT TO orders_orderaddress DO INSTEAD SELECT 1",
    "trigger": "CREATE TRIGGER mine BEFORE INSERT ON orders_orderaddress EXECUTE FUNCTION refuse_change()",
    "role": "CREATE ROLE mine",
    "function": "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "temporary function": "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "schema": "CREATE SCHEMA mine",
    "table": "CREATE TABLE mine (id int)",
    "temporary table": "CREATE TEMP TABLE mine (id int)",
    "view": "CREATE VIEW mine AS SELECT * FROM orders_orderaddress",
    "grant": "GRANT market_staff TO market_customer",
    "truncate": "TRUNCATE orders_orderaddress",
    "pgcrypto": "CREATE EXTENSION pgcrypto",
    "dblink": "CREATE EXTENSION dblink",
    "library": "LOAD 'mine'",
    "file": "SELECT pg_read_file('/etc/passwd')",
    "binary file": "SELECT pg_read_binary_file('/etc/passwd')",
    "directory": "SELECT pg_ls_dir('/')",
    "import": "SELECT lo_import('/etc/passwd')",
    "copy from a file": "COPY orders_orderaddress (country) FROM '/etc/passwd'",
    "copy to a program": "COPY (SELECT 1) TO PROGRAM 'cat'",
    "copy from a program": "COPY orders_orderaddress (country) FROM PROGRAM 'id'",
    "password hashes": "SELECT * FROM pg_authid",
    "statistics": "SELECT * FROM pg_statistic",
    "replication slot": "SELECT pg_create_physical_replication_slot('mine')",
    "settings of the server": "SET log_statement = 'all'",
    "activity on": "SET track_activities = on",
    "neighbors": "SELECT query FROM pg_stat_activity",
    "neighbors by function": "SELECT query FROM pg_stat_get_activity(NULL)",
    "neighbors by number": "SELECT pg_stat_get_backend_activity(1)",
    "ending a neighbor": "SELECT pg_terminate_backend(1)",
    "stopping a neighbor": "SELECT pg_cancel_backend(1)",
    "large object": "SELECT lo_create(0)",
    "large object with bytes": "SELECT lo_from_bytea(0, 'x')",
    "session key": "SELECT session_key FROM accounts_accountsession",
    "password": "SELECT password FROM accounts_user",
    "secret of a partner": "SELECT webhook_secret FROM privacy_recipient",
    "secret of a partner, compared": "SELECT 1 FROM privacy_recipient WHERE webhook_secret > ''",
    "second factor": "SELECT secret FROM accounts_secondfactor",
    "recovery codes": "SELECT digests FROM accounts_recoverycodes",
    "password written": "UPDATE accounts_user SET password = 'mine'",
    "role written": "UPDATE accounts_user SET role = 'administrator'",
    "amount written": "UPDATE orders_payment SET amount = 0, captured = 0",
    "payment answered": "UPDATE orders_paymentoperation SET outcome = 'succeeded'",
    "total written": "UPDATE orders_order SET total = 0",
    "order moved": "UPDATE orders_order SET subject_id = gen_random_uuid()",
    "address written over": "UPDATE orders_orderaddress SET country = 'XX'",
    "parcel sent again": "UPDATE orders_parcel SET carrier = NULL",
    "deadline of a request": "UPDATE privacy_request SET due_at = now()",
    "erasure stopped": "UPDATE privacy_erasurejob SET state = 'done'",
    "mail to somebody": "UPDATE privacy_outboundmail SET template = 'x'",
    "answer to a ticket": "UPDATE privacy_publicmessage SET body = ''",
    "log changed": "UPDATE audit_entry SET outcome = 'x'",
    "log deleted": "DELETE FROM audit_entry",
    "log dated": "INSERT INTO audit_entry (id, at) VALUES (gen_random_uuid(), now())",
    "log by another role": "INSERT INTO audit_entry (id, db_role) VALUES (gen_random_uuid(), 'market_staff')",
    "sequence": "SELECT setval('django_migrations_id_seq', 1)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_no_statement_changes_the_wall_or_leaves_the_database(door, attacker, name):
    connection = door.enter_as(Login.CUSTOMER)
    enter(connection, attacker)

    with pytest.raises((errors.InsufficientPrivilege, errors.FeatureNotSupported, errors.UndefinedFile)):
        run(connection, REFUSED[name])
    run(connection, "ROLLBACK")


SECRETS = {
    "accounts_user": "password",
    "accounts_secondfactor": "secret",
    "accounts_recoverycodes": "digests",
    "accounts_mailboxindex": "digest",
    "accounts_accounttoken": "digest",
    "accounts_apitoken": "digest",
    "accounts_accountsession": "session_data",
    "accounts_passwordresetrequest": "digests",
    "orders_orderlookup": "digest",
    "orders_guestlink": "digest",
    "privacy_receiptlink": "digest",
    "privacy_ticketlink": "digest",
    "privacy_recipient": "webhook_secret",
}


READ_FOR_WORK = {
    (Login.STAFF, "privacy_recipient"): "messages of partners are checked by the staff login",
    (Login.STAFF, "accounts_mailboxindex"): "staff look an address up, by a digest that is worth nothing without its key",
}


@pytest.mark.parametrize("table", SECRETS)
@pytest.mark.parametrize("login", [Login.STAFF, Login.AUDITOR])
def test_staff_and_auditors_read_no_secret(door, login, table):
    if (login, table) in READ_FOR_WORK:
        pytest.skip(READ_FOR_WORK[login, table])
    connection, column = door.enter_as(login), SECRETS[table]

    for statement in (
        f"SELECT {column} FROM {table}",
        f"SELECT * FROM {table}",
        f"SELECT {table} FROM {table}",
        f"SELECT 1 FROM {table} WHERE {column} IS NOT NULL",
        f"SELECT 1 FROM {table} ORDER BY {column}",
        f"SELECT count({column}) FROM {table}",
        f"COPY {table} TO STDOUT",
        f"UPDATE {table} SET {column} = {column}",
        f"DELETE FROM {table} RETURNING {column}",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            copied(connection, statement) if statement.startswith("COPY") else run(connection, statement)


TAKEOVERS = {
    "password": "UPDATE accounts_user SET password = 'mine'",
    "link": "INSERT INTO accounts_accounttoken (id, kind, user_id, digest, created_at, expires_at)"
    " VALUES (gen_random_uuid(), 'reset', '{account}', 'mine', now(), now() + interval '1 day')",
    "session": "INSERT INTO accounts_accountsession (session_key, session_data, expire_date, user_id, started_at, seen_at)"
    " VALUES ('mine', 'mine', now(), '{account}', now(), now())",
    "session's data": "UPDATE accounts_accountsession SET session_data = 'mine'",
    "mailbox": "UPDATE accounts_mailboxindex SET digest = 'mine'",
    "second step": "UPDATE accounts_secondfactor SET secret = ''",
    "token for programs": "UPDATE accounts_apitoken SET digest = 'mine'",
    "link of a guest": "UPDATE orders_guestlink SET digest = 'mine'",
}


@pytest.mark.parametrize("name", TAKEOVERS)
@pytest.mark.parametrize("login", [Login.STAFF, Login.AUDITOR])
def test_staff_and_auditors_take_no_account_over(door, victim, login, name):
    with pytest.raises(errors.InsufficientPrivilege):
        run(door.enter_as(login), TAKEOVERS[name].format(account=victim.account))


def test_an_account_that_is_closed_has_no_password_whoever_closes_it(door, victim):
    run(door.enter_as(Login.STAFF), "UPDATE accounts_user SET closed_at = now() WHERE id = %s", str(victim.account))

    assert run(door.admin(), "SELECT password FROM accounts_user WHERE id = %s", str(victim.account)) == [("!",)]


def bad_tokens(token, victim):
    key, _subject, pid, started, mac = token.split(".")
    return {
        "subject swapped": f"{key}.{victim.id}.{pid}.{started}.{mac}",
        "zero signature": f"{key}.{victim.id}.{pid}.{started}.{'0' * 64}",
        "unknown key": f"ffff.{victim.id}.{pid}.{started}.{mac}",
        "no key": f".{victim.id}.{pid}.{started}.{mac}",
        "no signature": f"{key}.{victim.id}.{pid}.{started}",
        "only a subject": str(victim.id),
        "dots": "....",
        "rubbish": "rubbish",
        "another backend": f"{key}.{victim.id}.1.{started}.{mac}",
        "another moment": f"{key}.{victim.id}.{pid}.1.{mac}",
        "quotes": f"{key}'.{victim.id}.{pid}.{started}.{mac}",
    }


@pytest.mark.parametrize("kind", bad_tokens("a.b.c.d.e", type("", (), {"id": 0})))
def test_a_bad_token_is_an_alarm_and_not_an_empty_page(door, attacker, victim, kind):
    connection = door.enter_as(Login.CUSTOMER)
    token = enter(connection, attacker)

    use(connection, bad_tokens(token, victim)[kind])

    with pytest.raises(errors.InvalidAuthorizationSpecification, match="bad token"):
        run(connection, "SELECT * FROM orders_orderaddress")
    run(connection, "ROLLBACK")


def test_without_a_token_there_are_no_rows(door, attacker):
    connection = door.enter_as(Login.CUSTOMER)

    answers = [attempt(connection, look) for look in LOOKS]

    assert answers == [[]] * len(LOOKS)


def test_a_token_is_worth_nothing_in_the_next_transaction(door, attacker):
    connection = door.enter_as(Login.CUSTOMER)
    token = enter(connection, attacker)
    run(connection, "COMMIT")

    run(connection, "BEGIN")
    use(connection, token)

    with pytest.raises(errors.InvalidAuthorizationSpecification):
        run(connection, "SELECT * FROM orders_order")
    run(connection, "ROLLBACK")


def test_a_token_is_worth_nothing_on_another_connection(spoiled, attacker, victim):
    theirs, mine = spoiled.enter_as(Login.CUSTOMER), spoiled.enter_as(Login.CUSTOMER)
    token = enter(theirs, victim)

    enter(mine, attacker)
    use(mine, token)

    with pytest.raises(errors.InvalidAuthorizationSpecification):
        run(mine, "SELECT * FROM orders_order")


def test_what_is_set_for_a_session_does_not_reach_the_next_customer(door, attacker, victim):
    """Behind a pooler the session is everybody's."""
    mine, theirs = door.enter_as(Login.CUSTOMER), door.enter_as(Login.CUSTOMER)
    token = enter(mine, attacker)
    run(mine, "SELECT set_config('wall.token', %s, false)", token)
    run(mine, "COMMIT")

    assert not victim.is_told_by(look_around(mine))
    enter(theirs, victim)

    assert victim.is_told_by(look_around(theirs))
    assert not attacker.is_told_by(look_around(theirs))
    run(theirs, "ROLLBACK")


# What a transaction leaves in its session: each is left by the victim's, or by the attacker for the victim's to fill.
LEFT = {
    "held cursor": (
        "SELECT 1",
        "DECLARE kept CURSOR WITH HOLD FOR SELECT * FROM orders_order",
        "FETCH ALL FROM kept",
    ),
    "prepared statement": (
        "PREPARE kept AS SELECT set_config('kept.ids', (SELECT string_agg(id::text, ',') FROM orders_order), false)",
        "EXECUTE kept",
        "SELECT current_setting('kept.ids')",
    ),
    "text of a statement": ("SELECT 1", "PREPARE noted AS SELECT '{victim}'", "SELECT statement FROM pg_prepared_statements"),
}


@pytest.mark.parametrize("door", ["pooled", "careless"], indirect=True)
@pytest.mark.parametrize("name", LEFT)
def test_a_pooler_hands_a_session_on_unless_it_wipes_it(door, attacker, victim, name, request):
    connections = [door.enter_as(Login.CUSTOMER) for _ in range(3)]
    for connection, person, statement in zip(connections, (attacker, victim, attacker), LEFT[name], strict=True):
        enter(connection, person)
        told = str(attempt(connection, statement.format(victim=victim.id)))
        run(connection, "COMMIT")

    is_careless = "careless" in request.node.callspec.params["door"]
    assert victim.is_told_by(told) is is_careless


# Conditions that talk


LEAKS = {
    "division": "SELECT 1 FROM orders_orderaddress WHERE 1 / (CASE WHEN subject_id = '{victim}' THEN 0 ELSE 1 END) = 1",
    "cast": "SELECT 1 FROM orders_orderaddress WHERE (CASE WHEN subject_id = '{victim}' THEN subject_id::text ELSE '1' END)::int = 1",
    "cast through a parent": "SELECT 1 FROM orders_orderline WHERE (CASE WHEN order_id = '{order}' THEN title ELSE '1' END)::int = 1",
    "in the log": "SELECT 1 FROM audit_entry WHERE 1 / (CASE WHEN subject_id = '{victim}' THEN 0 ELSE 1 END) = 1",
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_condition_is_never_tried_on_another_persons_row(door, attacker, victim, name):
    statement = LEAKS[name].format(victim=victim.id, order=victim.order)
    with pytest.raises((errors.DivisionByZero, errors.InvalidTextRepresentation)):
        run(door.enter_as(Login.STAFF), statement)
    connection = door.enter_as(Login.CUSTOMER)
    enter(connection, attacker)

    run(connection, statement)
    run(connection, "ROLLBACK")


def copied(connection, statement):
    target = io.StringIO()
    with connection.cursor() as cursor:
        cursor.copy_expert(statement, target)
    return target.getvalue()


@pytest.mark.parametrize("table", ["orders_orderaddress", "orders_orderline", "orders_order"])
def test_a_copy_holds_the_customers_own_rows(door, attacker, victim, table):
    connection = door.enter_as(Login.CUSTOMER)
    enter(connection, attacker)

    everything = copied(connection, f"COPY {table} TO STDOUT")
    run(connection, "ROLLBACK")

    assert attacker.is_told_by(everything)
    assert not victim.is_told_by(everything)


# Writing


def test_changes_without_a_condition_stay_at_home(door, attacker, victim):
    connection = door.enter_as(Login.CUSTOMER)
    enter(connection, attacker)

    run(connection, "UPDATE accounts_accountdetails SET name = ''")
    run(connection, "UPDATE orders_order SET state = 'canceled', canceled_at = now()")
    run(connection, "COMMIT")

    admin = door.admin()
    assert run(admin, "SELECT name FROM accounts_accountdetails WHERE subject_id = %s AND name = ''", str(victim.id)) == []
    assert run(admin, "SELECT state FROM orders_order WHERE subject_id = %s", str(victim.id)) != [("canceled",)]
    assert run(admin, "SELECT state FROM orders_order WHERE subject_id = %s", str(attacker.id)) == [("canceled",)]


def test_no_row_is_written_for_another_person_or_moved_there(door, attacker, victim):
    connection = door.enter_as(Login.CUSTOMER)

    for statement in (
        "INSERT INTO privacy_subject (id, kind, created_at) VALUES (gen_random_uuid(), 'customer', now())",
        f"UPDATE orders_orderaddress SET subject_id = '{victim.id}'",
        f"UPDATE orders_order SET subject_id = '{victim.id}'",
        "UPDATE orders_order SET subject_id = NULL",
        f"UPDATE orders_payment SET order_id = '{victim.order}'",
    ):
        enter(connection, attacker)
        answer = attempt(connection, statement)
        attempt(connection, "COMMIT")
        assert answer == [] or "row-level security" in answer or "permission denied" in answer, statement

    moved = run(door.admin(), "SELECT count(*) FROM orders_order WHERE subject_id = %s", str(victim.id))
    assert moved == [(1,)]


LINE = (
    "INSERT INTO orders_orderline (id, order_id, position, title, sku, quantity, unit_price, total, tax_rate, shipping_share, tax)"
    " VALUES (gen_random_uuid(), %s, 9, 'x', 'x', 1, 0, 0, 0, 0, 0)"
)
ADDRESS = (
    "INSERT INTO orders_orderaddress (id, subject_id, order_id, addressee, line1, line2, district, locality, region, postcode, country)"
    " VALUES (gen_random_uuid(), %s, %s, '', '', '', '', '', '', '', 'DE')"
)
DETAIL = "INSERT INTO orders_paymentdetail (id, subject_id, payment_id, payer, label) VALUES (gen_random_uuid(), %s, %s, '', '')"


def test_a_row_that_hangs_on_another_persons_says_nothing_of_it(door, attacker, victim):
    """A foreign key is checked past every policy: its answer must be the same for a row that is there and one that is not."""
    connection = door.enter_as(Login.CUSTOMER)
    told = {}

    for order in (victim.order, uuid4()):
        enter(connection, attacker)
        told[order] = [type(error_of(connection, LINE, str(order)))]
        run(connection, "ROLLBACK")
        enter(connection, attacker)
        error = error_of(connection, ADDRESS, str(attacker.id), str(order), at_once=True)
        told[order].append((type(error), error.diag.constraint_name, error.diag.message_detail))
        run(connection, "ROLLBACK")
        enter(connection, attacker)
        payment = victim.payment if order == victim.order else uuid4()
        told[order].append(type(error_of(connection, DETAIL, str(attacker.id), str(payment), at_once=True)))
        run(connection, "ROLLBACK")

    there, absent = told.values()
    assert there == absent
    assert there[0] is there[2] is errors.InsufficientPrivilege
    assert there[1][:2] == (errors.ForeignKeyViolation, "orders_orderaddress_order_id_of_person")


def error_of(connection, statement, *parameters, at_once=False):
    with pytest.raises(psycopg2.Error) as caught:
        if at_once:
            run(connection, "SET CONSTRAINTS ALL IMMEDIATE")
        run(connection, statement, *parameters)
    return caught.value


@pytest.mark.parametrize("login", [Login.STAFF, Login.WORKER])
def test_nobody_else_joins_two_people_either(door, attacker, victim, login):
    connection = door.enter_as(login)

    with pytest.raises(errors.ForeignKeyViolation):
        run(connection, ADDRESS, str(attacker.id), str(victim.order))


def test_a_unique_value_of_another_person_cannot_be_overwritten(door, attacker, victim):
    connection = door.enter_as(Login.CUSTOMER)
    enter(connection, attacker)

    statement = (
        "INSERT INTO orders_order SELECT * FROM orders_order WHERE subject_id = %s ON CONFLICT (id) DO UPDATE SET state = 'canceled'"
    )
    upsert = f"INSERT INTO privacy_subject (id, kind, created_at) VALUES ('{victim.id}', 'staff', now()) ON CONFLICT (id) DO NOTHING"

    assert attempt(connection, statement, str(victim.id)) == []
    assert "row-level security" in attempt(connection, upsert)
    run(connection, "ROLLBACK")
    assert run(door.admin(), "SELECT state FROM orders_order WHERE id = %s", str(victim.order)) != [("canceled",)]


def test_an_entry_in_the_log_names_its_author(door, attacker, victim):
    connection = door.enter_as(Login.CUSTOMER)
    entry = (
        "INSERT INTO audit_entry (id, event, actor_role, actor_name, actor_id, subject_id, object_label, case_label, purpose,"
        " categories, fields, outcome) VALUES (%s, 'x', 'x', '', %s, %s, '', '', '', '{}', '{}', 'x')"
    )

    enter(connection, attacker)
    run(connection, entry, str(uuid7()), str(attacker.id), str(victim.id))
    with pytest.raises(errors.InsufficientPrivilege):
        run(connection, entry, str(uuid7()), str(victim.id), str(victim.id))
    run(connection, "ROLLBACK")


# Counting the rows that the policy took away


def plan(connection, statement, asked):
    """What EXPLAIN ANALYZE tells about a statement, without the value that was asked for."""
    lines = run(connection, f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {statement.format(asked)}")
    return [line.replace(str(asked), "asked") for (line,) in lines if "Buffers" not in line and "Planning" not in line]


def test_a_plan_tells_no_value_that_is_there_from_one_that_is_not(door, attacker, victim):
    connection = door.enter_as(Login.CUSTOMER)
    enter(connection, attacker)
    run(connection, "SET LOCAL enable_seqscan = off")

    plans = [plan(connection, "SELECT 1 FROM orders_orderaddress WHERE subject_id = '{}'", id) for id in (victim.id, uuid4())]
    run(connection, "ROLLBACK")

    assert plans[0] == plans[1]
    assert plans[0]


SEARCHED = {"code": (40, "{:010x}".format), "checkout_token": (128, lambda number: str(UUID(int=number)))}
"""How many bits a value of `make_person` has, and how each is spelled, in order."""


def found_by_halves(connection, column):
    """The first value of other people's orders, one bit an EXPLAIN; anything at all where the counts are silent."""
    bits, spelled = SEARCHED[column]
    run(connection, "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
    low, high = 0, 1 << bits
    while high - low > 1:
        middle = (low + high) // 2
        question = f"SELECT 1 FROM orders_order WHERE {column} >= '{spelled(low)}' AND {column} < '{{}}' ORDER BY {column}"
        if any("Rows Removed by Filter" in line for line in plan(connection, question, spelled(middle))):
            high = middle
        else:
            low = middle
    return spelled(low)


@pytest.mark.parametrize("column", SEARCHED)
def test_a_search_by_halves_finds_nobodys_value(door, attacker, victim, column):
    connection = door.enter_as(Login.CUSTOMER)
    enter(connection, attacker)

    found = found_by_halves(connection, column)
    run(connection, "ROLLBACK")

    assert run(door.admin(), f"SELECT 1 FROM orders_order WHERE {column} = %s", found) == []


# What stays open: the customer's own rows, and what every login of the server may do to itself.


def test_an_injection_reads_the_customers_own_rows_and_damages_what_a_customer_may_change(door, attacker):
    connection = door.enter_as(Login.CUSTOMER)
    enter(connection, attacker)

    run(connection, "UPDATE accounts_accountdetails SET name = ''; COMMIT")

    assert run(door.admin(), "SELECT name = '' FROM accounts_accountdetails WHERE subject_id = %s", str(attacker.id)) == [(True,)]


def test_a_token_of_the_same_transaction_opens_it_again(spoiled, attacker, victim):
    """So two people are never entered in one transaction; the site refuses to."""
    connection = spoiled.enter_as(Login.CUSTOMER)
    mine = enter(connection, attacker)
    theirs = mine_of(connection, victim)
    use(connection, theirs)

    use(connection, mine)

    assert attacker.is_told_by(look_around(connection))


def mine_of(connection, person):
    from privacy.wall.token import sign

    return sign(person.id, *run(connection, THIS_TRANSACTION)[0])


def test_a_login_can_lock_itself_out(spoiled):
    """PostgreSQL lets every role change its own password and settings. It shows nothing; it is undone here."""
    connection = spoiled.enter_as(Login.CUSTOMER)

    run(connection, "BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'mine'")
    run(connection, "ALTER ROLE CURRENT_USER SET statement_timeout = 1")
    ((settings,),) = run(connection, "SELECT rolconfig FROM pg_roles WHERE rolname = current_user")
    run(connection, "ROLLBACK")

    assert "statement_timeout=1" in settings
