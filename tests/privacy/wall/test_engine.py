"""One alias, several logins: which one asks the database, and what is left of somebody on a connection."""

import threading

import pytest
from django.db import DatabaseError, connection, transaction

from orders.lifecycle.models import Order
from privacy.access.gate import unit_of_work
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from privacy.wall.context import current_place, entered
from privacy.wall.engine.base import DatabaseWrapper
from privacy.wall.errors import OutsideWall
from privacy.wall.logins import Login
from tests.orders.factories import count_queries, make_customer, place

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("PROTECT-2")]


def ask(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0] if cursor.description else None


def user():
    return ask("SELECT current_user")


@pytest.mark.parametrize("login", [Login.GATE, Login.STAFF, Login.AUDITOR, Login.WORKER])
def test_queries_run_by_the_login_that_was_entered(login):
    before = user()

    with entered(login):
        assert user() == f"market_{login}"

    assert user() == before == "market_worker"


def test_logins_nest_and_keep_a_connection_each():
    subject = uuid7()
    with entered(Login.GATE):
        pid = ask("SELECT pg_backend_pid()")
        with entered(Login.CUSTOMER, subject), transaction.atomic():
            assert user() == "market_customer"
        assert ask("SELECT pg_backend_pid()") == pid


def test_a_customer_sees_their_own_rows_alone(walled):
    mine, theirs = place(), place()

    with walled(mine.subject_id):
        assert list(Order.objects.all()) == [mine]
        assert not Order.objects.filter(pk=theirs.pk).exists()
    with walled(theirs.subject_id):
        assert list(Order.objects.all()) == [theirs]


def test_a_savepoint_that_is_rolled_back_leaves_the_wall_standing(walled):
    mine = place()
    with walled(mine.subject_id):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
        assert list(Order.objects.all()) == [mine]


def test_a_query_outside_a_transaction_is_an_error_and_no_empty_page():
    with entered(Login.CUSTOMER, uuid7()), pytest.raises(OutsideWall, match="unit_of_work"):
        Order.objects.first()


@pytest.mark.parametrize(("login", "subject"), [(Login.CUSTOMER, uuid7()), (Login.STAFF, None), (Login.GATE, None)])
def test_nobody_else_is_entered_inside_an_open_transaction(login, subject):
    with entered(Login.CUSTOMER, uuid7()), transaction.atomic():
        with pytest.raises(OutsideWall, match="before that transaction or after it"), entered(login, subject):
            pass
        assert user() == "market_customer"


def test_the_same_person_may_be_entered_again_inside_the_transaction(walled):
    mine = place()
    with walled(mine.subject_id), entered(Login.CUSTOMER, mine.subject_id):
        assert Order.objects.get() == mine


def test_leaving_before_the_transaction_ends_is_noticed():
    walls = entered(Login.CUSTOMER, uuid7())
    walls.__enter__()
    with transaction.atomic():
        walls.__exit__(None, None, None)
        with pytest.raises(OutsideWall):
            user()


@pytest.mark.parametrize(("login", "subject"), [(Login.CUSTOMER, None), (Login.GATE, uuid7())])
def test_a_customer_is_one_person_and_nobody_else_is(login, subject):
    with pytest.raises(OutsideWall), entered(login, subject):
        pass
    assert current_place() is None


def test_a_login_that_this_process_was_not_given_cannot_be_entered(settings):
    assert user() == "market_worker"  # not where the last test was: nobody enters what they are in
    settings.DATABASE_LOGINS = {}

    with pytest.raises(OutsideWall, match="no login for staff"), entered(Login.STAFF):
        pass
    assert user() == "market_worker"


def test_nothing_of_one_customer_is_left_for_the_next():
    with entered(Login.CUSTOMER, uuid7()), transaction.atomic():
        ask("SET statement_timeout = 4711")
        ask("PREPARE mine AS SELECT 1")
        ask("DECLARE kept CURSOR WITH HOLD FOR SELECT 1")
        ask("SELECT pg_advisory_lock(4711)")
        pid = ask("SELECT pg_backend_pid()")

    with entered(Login.CUSTOMER, uuid7()), transaction.atomic():
        assert ask("SELECT pg_backend_pid()") == pid, "the same connection"
        assert ask("SHOW statement_timeout") == "0"
        assert ask("SELECT count(*) FROM pg_prepared_statements") == 0
        assert ask("SELECT count(*) FROM pg_cursors WHERE name = 'kept'") == 0
        assert ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == 0


@pytest.mark.parametrize("login", [Login.GATE, Login.STAFF, Login.AUDITOR])
def test_between_requests_every_login_of_the_site_is_wiped(login):
    with entered(login):
        ask("SET statement_timeout = 4711")
    connection.close_if_unusable_or_obsolete()

    with entered(login):
        assert ask("SHOW statement_timeout") == "0"


def test_a_connection_is_wiped_once_however_many_requests_pass_it_by(monkeypatch):
    with entered(Login.STAFF):
        user()
    connection.close_if_unusable_or_obsolete()
    wiped = []
    monkeypatch.setattr(DatabaseWrapper, "_configure_connection", lambda self, given: wiped.append(given))

    connection.close_if_unusable_or_obsolete()

    assert wiped == []


def test_the_worker_keeps_the_locks_of_its_session():
    ask("SELECT pg_advisory_lock(4711)")
    with entered(Login.GATE):
        user()
    connection.close_if_unusable_or_obsolete()

    assert ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == 1
    ask("SELECT pg_advisory_unlock(4711)")


def test_a_connection_that_died_is_made_anew(owner_connection):
    with entered(Login.STAFF):
        pid = ask("SELECT pg_backend_pid()")
    with owner_connection() as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])
    connection.close_if_unusable_or_obsolete()

    with entered(Login.STAFF):
        assert ask("SELECT pg_backend_pid()") != pid


def test_a_customer_whose_token_cannot_be_set_gets_no_transaction(monkeypatch):
    def refuse(*claim):
        raise DatabaseError

    monkeypatch.setattr("privacy.wall.engine.base.sign", refuse)
    with entered(Login.CUSTOMER, uuid7()), pytest.raises(DatabaseError), transaction.atomic():
        pass
    monkeypatch.undo()

    assert user() == "market_worker"
    with entered(Login.CUSTOMER, uuid7()), transaction.atomic():
        assert user() == "market_customer"


def test_closing_closes_the_connections_of_all_logins(owner_connection):
    pids = [ask("SELECT pg_backend_pid()")]
    for login in (Login.GATE, Login.STAFF):
        with entered(login):
            pids.append(ask("SELECT pg_backend_pid()"))

    connection.close()

    def are_gone():
        with owner_connection() as other, other.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [pids])
            return cursor.fetchone()[0] == 0

    from tests.processes import wait_until

    wait_until(are_gone, "the backends to end", 5)


def test_a_connection_too_old_is_replaced_whichever_login_has_it(monkeypatch):
    with entered(Login.GATE):
        pid = ask("SELECT pg_backend_pid()")
    monkeypatch.setattr("django.db.backends.base.base.time.monotonic", lambda: 10.0**12)
    connection.close_if_unusable_or_obsolete()
    monkeypatch.undo()

    with entered(Login.GATE):
        assert ask("SELECT pg_backend_pid()") != pid


def test_what_the_wall_asks_counts_as_no_query_of_the_page(walled):
    customer = make_customer()

    def page():
        with walled(customer.subject_id):
            list(Order.objects.all())

    def bare():
        with unit_of_work():
            list(Order.objects.all())

    assert count_queries(page) == count_queries(bare)


def test_threads_never_meet():
    mine, theirs = place(), place()
    seen = {mine.subject_id: set(), theirs.subject_id: set()}

    def look(subject_id):
        for _turn in range(25):
            with entered(Login.CUSTOMER, subject_id), unit_of_work():
                seen[subject_id] |= set(Order.objects.values_list("pk", flat=True))
        connection.close()

    threads = [threading.Thread(target=look, args=[subject_id]) for subject_id in seen for _twice in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == {mine.subject_id: {mine.pk}, theirs.subject_id: {theirs.pk}}


def test_a_new_person_makes_themselves_and_nobody_else(walled):
    me, somebody = uuid7(), uuid7()
    with walled(me):
        Subject.objects.create(pk=me)
    with walled(me), pytest.raises(DatabaseError, match="row-level security"):
        Subject.objects.create(pk=somebody)
