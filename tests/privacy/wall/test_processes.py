"""What happens to connections when a process forks, when a server ends one, and when a login takes one over."""

import os
import pickle
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from orders.lifecycle.models import Order
from privacy.access.gate import unit_of_work
from privacy.wall.context import entered
from privacy.wall.logins import Login
from tests.orders.factories import place

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("PROTECT-2")]

SITE = (Login.GATE, Login.STAFF, Login.AUDITOR)


def ask(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0] if cursor.description else None


def backend():
    return ask("SELECT pg_backend_pid()")


def backends():
    """The server's process behind each login of this thread, the customers' in a transaction that is signed."""
    found = {Login.WORKER: backend()}
    for login in SITE:
        with entered(login):
            found[login] = backend()
    return found


# A child of a prefork worker


@contextmanager
def in_child(work):
    """What `work()` returns in a forked process, as Celery forks its children."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = pickle.dumps(work())
        except BaseException as error:
            answer = pickle.dumps(repr(error))
        os.write(writing, answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    yield answer


def test_a_forked_child_uses_no_connection_of_its_parent():
    before = backends()

    with in_child(backends) as childs:
        assert set(childs) == set(before)
        assert set(childs.values()).isdisjoint(before.values())

    assert backends() == before, "and the parent's still answer"


def test_a_child_forked_in_the_midst_of_a_customers_transaction_is_outside_it(walled):
    order = place()

    def look():
        found = []
        for where in (entered(Login.WORKER), entered(Login.CUSTOMER, order.subject_id)):
            with where, unit_of_work():
                found.append((backend(), ask("SELECT coalesce(current_setting('wall.token', true), '')"), Order.objects.count()))
        return found

    with walled(order.subject_id):
        mine, token = backend(), ask("SELECT current_setting('wall.token')")
        with in_child(look) as seen:
            (_, without, everybodys), (theirs, own, ones) = seen
        assert Order.objects.get() == order
        assert backend() == mine

    assert (without, everybodys, ones) == ("", 1, 1)
    assert theirs != mine
    assert own not in ("", token)


# A server that ends a connection


@contextmanager
def ended_by(owner_connection):
    """Ends the connection at hand from the outside."""
    with owner_connection() as superuser, superuser.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend()])
    yield


@pytest.mark.parametrize("login", SITE)
def test_a_connection_that_is_ended_in_the_midst_fails_and_the_next_unit_works(owner_connection, login):
    with entered(login):
        with pytest.raises((OperationalError, InterfaceError)), transaction.atomic(), ended_by(owner_connection):
            ask("SELECT 1")
        connection.close_if_unusable_or_obsolete()

        with transaction.atomic():
            assert ask("SELECT current_user") == f"market_{login}"


def test_a_customer_whose_connection_is_ended_in_the_midst_is_not_behind_somebody_elses_wall(owner_connection, walled):
    mine, theirs = place(), place()

    with pytest.raises(DatabaseError), walled(mine.subject_id), ended_by(owner_connection):
        Order.objects.count()
    connection.close_if_unusable_or_obsolete()

    for order in (theirs, mine):
        with walled(order.subject_id):
            assert Order.objects.get() == order


# What somebody's SQL leaves on a connection

LEFT = {
    "setting": ("SET wall.token = 'left'", "SELECT coalesce(current_setting('wall.token', true), '') = ''"),
    "setting of another name": ("SET mine.stash = 'left'", "SELECT coalesce(current_setting('mine.stash', true), '') = ''"),
    "path": ("SET search_path = pg_catalog", "SELECT current_setting('search_path') LIKE '%public%'"),
    "time zone": ("SET TIME ZONE 'Asia/Tokyo'", "SELECT current_setting('TimeZone') = 'UTC'"),
    "lock": (
        "SELECT pg_advisory_lock(4711)",
        "SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())",
    ),
    "prepared": ("PREPARE mine AS SELECT 1", "SELECT NOT EXISTS (SELECT FROM pg_prepared_statements)"),
    "cursor": ("DECLARE mine CURSOR WITH HOLD FOR SELECT 1", "SELECT NOT EXISTS (SELECT FROM pg_cursors WHERE is_holdable)"),
    "listening": ("LISTEN mine", "SELECT NOT EXISTS (SELECT FROM pg_listening_channels())"),
    "sequence": ("SET mine.one = '1'; SET LOCAL mine.two = '2'", "SELECT coalesce(current_setting('mine.two', true), '') = ''"),
}


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize("login", SITE)
def test_nothing_is_left_on_a_connection_for_whom_it_serves_next(name, login):
    leave, is_gone = LEFT[name]
    with entered(login), transaction.atomic():
        pid = backend()
        ask(leave)

    connection.close_if_unusable_or_obsolete()

    with entered(login), transaction.atomic():
        assert backend() == pid, "the same connection"
        assert ask(is_gone.replace("%", "%%")) is True


@pytest.mark.parametrize("name", LEFT)
def test_nothing_is_left_on_a_connection_for_the_next_customer(name, walled):
    leave, is_gone = LEFT[name]
    one, other = place(), place()
    with walled(one.subject_id):
        pid = backend()
        ask(leave.replace("SET wall.token", "SET SESSION wall.token"))

    with walled(other.subject_id):
        assert backend() == pid, "the same connection"
        assert Order.objects.get() == other
        assert name == "setting" or ask(is_gone.replace("%", "%%")) is True


@pytest.mark.parametrize("login", [*SITE, Login.WORKER])
def test_no_temporary_table_is_made_on_a_connection(login):
    with entered(login), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        ask("CREATE TEMP TABLE mine (id int)")
