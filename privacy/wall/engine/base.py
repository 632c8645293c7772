"""Keeps PROTECT-2: a customer's queries run by the customers' login, in a transaction that is signed for one person."""

from __future__ import annotations

import contextlib
import os
from typing import Any
from uuid import UUID
from weakref import WeakSet

from django.conf import settings
from django.db.backends.postgresql import base
from django.db.models import Field
from psycopg2 import Error

from privacy.wall.context import Place, current_place, leave_all_places, standing_at
from privacy.wall.engine.operations import DatabaseOperations
from privacy.wall.errors import OutsideWall
from privacy.wall.logins import Login
from privacy.wall.token import sign

# What Django knows of the one connection that it thinks it has; the rest of its state lives inside a transaction alone.
STATE = (
    "connection",
    "autocommit",
    "close_at",
    "closed_in_transaction",
    "errors_occurred",
    "health_check_enabled",
    "health_check_done",
    "serves",
)
UNCONNECTED: dict[str, Any] = {**dict.fromkeys(STATE, False), "connection": None, "close_at": None, "serves": None}

OUTSIDE_TRANSACTION: dict[str, Any] = {"in_atomic_block": False, "commit_on_exit": True, "needs_rollback": False, "rollback_exc": None}

SERVES_STRANGERS = frozenset({Login.GATE, Login.CUSTOMER, Login.STAFF, Login.AUDITOR})
THIS_TRANSACTION = "SELECT pg_backend_pid(), (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint"


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection for each login that this thread has used; which one is meant, ``entered()`` says.

    It changes between transactions, never inside one. What somebody's SQL may have left on a connection of the
    site is wiped off it before it serves somebody else. Every login names the same database.
    """

    ops_class = DatabaseOperations

    def __init__(self, settings_dict: dict[str, Any], alias: str = "default") -> None:
        super().__init__(settings_dict, alias)
        self._own_settings = settings_dict
        self._home = Place(Login(settings_dict["LOGIN"]))
        self._place = self._home
        self._resting: dict[Login, dict[str, Any]] = {}
        self.serves: Place | None = None  # since the connection was made or wiped
        self.execute_wrappers.append(self._refuse_outside_transaction)
        _wrappers.add(self)

    def follow(self) -> None:
        """Be where ``entered()`` has led. Raises OutsideWall when a transaction is open elsewhere."""
        place = current_place() or self._home
        if place == self._place:
            return
        if self.in_atomic_block:
            raise OutsideWall(
                f"a transaction is open for {self._place.login}, and work came for {place.login} or for another person: "
                "do it before that transaction or after it"
            )
        self._take(place.login)
        self._place = place
        if self.serves not in (None, place):
            self._wipe()

    def unreadable_fields(self) -> frozenset[Field[Any, Any]]:
        """What the login that the next query runs by may not read of the rows that it may."""
        login = (current_place() or self._home).login
        if login not in SERVES_STRANGERS:
            return frozenset()
        from privacy.wall.shape import unreadable_fields  # not before there are models

        return unreadable_fields(login)

    def _take(self, login: Login) -> None:
        """Let the connection at hand rest and go on with this login's, which is made when it is first needed."""
        if login == self._place.login:
            return
        if login != self._home.login and login not in settings.DATABASE_LOGINS:
            raise OutsideWall(f"this process has no login for {login}: see DATABASE_LOGINS")
        self._resting[self._place.login] = {name: getattr(self, name) for name in STATE}
        vars(self).update(self._resting.pop(login, UNCONNECTED))
        self.settings_dict = self._own_settings if login == self._home.login else {**self._own_settings, **settings.DATABASE_LOGINS[login]}
        self._place = Place(login)

    def _wipe(self) -> None:
        """Forget session settings, prepared statements, held cursors, locks and temporary tables of a stranger."""
        if self.serves is None or self._place.login not in SERVES_STRANGERS:
            return
        self.serves = None
        if self.connection is None:
            return
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("DISCARD ALL")
            self._configure_connection(self.connection)  # type: ignore[attr-defined]
        except Error:
            self.close()

    # Where Django is about to use its connection

    def ensure_connection(self) -> None:
        self.follow()
        super().ensure_connection()

    def close_if_health_check_failed(self) -> None:
        self.follow()
        super().close_if_health_check_failed()

    def create_cursor(self, name: str | None = None) -> Any:
        self.serves = self._place
        return super().create_cursor(name)

    # Transactions

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
        if not autocommit and self._place.subject_id is not None:
            self._sign_transaction(self._place.subject_id)

    def _sign_transaction(self, subject_id: UUID) -> None:
        """By the driver's own cursor: these are no queries of the program, and nobody counts or logs them."""
        try:
            with self.wrap_database_errors, self.connection.cursor() as cursor:
                cursor.execute(THIS_TRANSACTION)
                cursor.execute("SELECT set_config('wall.token', %s, true)", [sign(subject_id, *cursor.fetchone())])
        except BaseException:
            self.close()
            raise

    def _refuse_outside_transaction(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if self._place.subject_id is not None and not self.in_atomic_block:
            raise OutsideWall("a customer's query came outside a transaction, where the wall shows no row: put it into unit_of_work()")
        return execute(sql, params, many, context)

    # The end of connections

    def close(self) -> None:
        """Close the connections of all logins."""
        super().close()
        for state in self._resting.values():
            if state["connection"] is not None:
                with contextlib.suppress(Error):
                    state["connection"].close()
        self._resting.clear()

    def close_if_unusable_or_obsolete(self) -> None:
        """Django asks between requests: each login's connection is looked at, and wiped if it has served somebody."""
        if self.in_atomic_block:
            super().close_if_unusable_or_obsolete()
            return
        for login in [*self._resting, self._place.login]:
            with standing_at(Place(login)):
                self.follow()
                self._wipe()
                super().close_if_unusable_or_obsolete()
        self.follow()

    def leave_to_parent(self) -> None:
        """In a forked child: begin anew. What the parent goes on using is not closed, for that would end it there, too."""
        for connection in (self.connection, *(state["connection"] for state in self._resting.values())):
            if connection is not None:
                with contextlib.suppress(Error, OSError):
                    os.close(connection.fileno())
        self._resting.clear()
        vars(self).update({**UNCONNECTED, **OUTSIDE_TRANSACTION, "savepoint_ids": [], "atomic_blocks": [], "run_on_commit": []})
        self._place, self.settings_dict = self._home, self._own_settings


_wrappers: WeakSet[DatabaseWrapper] = WeakSet()


def _begin_anew() -> None:
    leave_all_places()
    for wrapper in list(_wrappers):
        wrapper.leave_to_parent()


os.register_at_fork(after_in_child=_begin_anew)
