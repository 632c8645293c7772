"""The log belongs to a role that nobody signs in as: not even the tables' owner changes it, on a server new or old."""

from contextlib import closing
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection
from psycopg2 import errors

from audit.grants import KeeperMissing, LogKept, keep_log, loose_tables, require_keeper, require_open
from audit.identifiers import uuid7
from audit.keeping import opening_sql
from marketplace.database_roles import MAIN_OWNER, MAIN_ROLES
from privacy.alerts.models import Alert, AlertKind
from privacy.alerts.tasks import watch_wall
from privacy.wall.foundation import GUARD
from privacy.wall.logins import Login
from tests.wall.test_attacks import run
from tests.wall.test_installation import command, install

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.promise("PROTECT-2")]

MONTHS = "SELECT name FROM wall.log_months()"
ENTRY = (
    "INSERT INTO audit_entry (id, {}event, actor_role, actor_name, object_label, case_label, purpose, categories, fields, outcome)"
    " VALUES (%s, {}'privacy.data.opened', 'job', 'tests', '', '', '', '{{}}', '{{}}', 'ok')"
)


@pytest.fixture
def owner(spoiled):
    with closing(spoiled.cluster.connect(spoiled.database, MAIN_OWNER)) as connected:
        yield connected


def loose(spoiled):
    with spoiled.admin().cursor() as cursor:
        return loose_tables(cursor, keeper=GUARD, worker=MAIN_ROLES[Login.WORKER])


def test_every_table_of_the_log_belongs_to_the_guard(spoiled):
    assert loose(spoiled) == []


REFUSED = {
    "change": "UPDATE audit_entry SET outcome = 'x'",
    "delete": "DELETE FROM audit_entry",
    "empty": "TRUNCATE audit_entry",
    "drop": "DROP TABLE audit_entry",
    "drop with the schema": "DROP SCHEMA public CASCADE",
    "drop leaves": "DROP TABLE audit_leaf CASCADE",
    "drop a month": "DROP TABLE {month}",
    "detach a month": "ALTER TABLE audit_entry DETACH PARTITION {month}",
    "change a month": "UPDATE {month} SET outcome = 'x'",
    "trigger off": "ALTER TABLE audit_entry DISABLE TRIGGER append_only",
    "all triggers off": "ALTER TABLE audit_leaf DISABLE TRIGGER ALL",
    "trigger dropped": "DROP TRIGGER append_only ON audit_checkpoint",
    "trigger of a month dropped": "DROP TRIGGER append_only ON {month}",
    "trigger's function": "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "trigger's function dropped": "DROP FUNCTION audit_refuse_change() CASCADE",
    "rule": "CREATE RULE nothing AS ON INSERT TO audit_entry DO INSTEAD NOTHING",
    "own trigger": "CREATE TRIGGER mine BEFORE INSERT ON audit_entry EXECUTE FUNCTION audit_refuse_change()",
    "column": "ALTER TABLE audit_entry DROP COLUMN actor_id",
    "owner": "ALTER TABLE audit_entry OWNER TO market_owner",
    "wall off": "ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY",
    "right": "GRANT DELETE ON audit_entry TO market_owner; DELETE FROM audit_entry",
    "becoming the guard": "SET ROLE market_guard",
    "made a member": "GRANT market_guard TO market_owner",
    "another transaction": "INSERT INTO audit_entry (id, transaction) VALUES (gen_random_uuid(), '1')",
    "another role": "INSERT INTO audit_entry (id, db_role) VALUES (gen_random_uuid(), 'postgres')",
    "retirement": "INSERT INTO audit_retirement (id, first_id, end_id, entries) SELECT id, id, id, 0 FROM audit_entry LIMIT 1",
    "letting a month go": "SELECT wall.retire_log_month(gen_random_uuid(), '{month}')",
    "the function": "CREATE OR REPLACE FUNCTION wall.keep_log() RETURNS void LANGUAGE sql AS ''",
    "what was noted": "DELETE FROM wall.unattributed",
}


def test_the_owner_can_neither_change_nor_drop_nor_silence_the_log(spoiled, owner):
    (month,) = run(owner, MONTHS)[0]
    for name, statement in REFUSED.items():
        with pytest.raises(errors.InsufficientPrivilege):
            run(owner, statement.format(month=month))
            pytest.fail(name)


def test_the_owner_reads_and_adds_with_a_moment_of_its_own(owner):
    id = str(uuid7())
    run(owner, ENTRY.format("at, ", "'2020-02-02', "), id)

    assert run(owner, "SELECT at::date::text, db_role FROM audit_entry WHERE id = %s", id) == [("2020-02-02", MAIN_OWNER)]


def test_no_login_of_the_program_dates_an_entry(spoiled):
    with pytest.raises(errors.InsufficientPrivilege):
        run(spoiled.enter_as(Login.WORKER), ENTRY.format("at, ", "'2020-02-02', "), str(uuid7()))


SPOILED = {
    "given away": ("ALTER TABLE audit_leaf OWNER TO market_owner", ["audit_leaf"]),
    "trigger off": ("ALTER TABLE audit_entry DISABLE TRIGGER append_only", ["audit_entry"]),
    "trigger for some": ("ALTER TABLE audit_checkpoint ENABLE TRIGGER append_only", ["audit_checkpoint"]),
    "month's trigger dropped": ("DROP TRIGGER append_only ON {month}", ["{month}"]),
    "right on a month": ("GRANT DELETE ON {month} TO market_worker", ["{month}"]),
    "right on a month's column": ("GRANT UPDATE (outcome) ON {month} TO market_worker", ["{month}"]),
    "month for everybody": ("GRANT SELECT ON {month} TO PUBLIC", ["{month}"]),
    "month past the wall": ("GRANT SELECT ON {month} TO market_customer", ["{month}"]),
    "right of the owner": ("GRANT UPDATE ON audit_leaf TO market_owner", ["audit_leaf"]),
    "right of the owner on a column": ("GRANT UPDATE (seal) ON audit_checkpoint TO market_owner", ["audit_checkpoint"]),
    "function given away": ("ALTER FUNCTION audit_refuse_change() OWNER TO market_owner", ["audit_refuse_change"]),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_a_superuser_spoils_is_found(spoiled, name):
    admin = spoiled.admin()
    (month,) = run(admin, MONTHS)[0]
    statement, expected = SPOILED[name]

    run(admin, statement.format(month=month))

    assert loose(spoiled) == [table.format(month=month) for table in expected]


@pytest.mark.django_db(transaction=True)
def test_somebody_is_told_of_a_log_that_is_loose(owner_connection, test_databases):
    test_databases.reset()
    with owner_connection() as superuser, superuser.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")

    watch_wall()

    assert Alert.objects.get().kind == AlertKind.WALL_BREACHED


# An upgrade


def plan(*labels):
    return [(SimpleNamespace(app_label=label), False) for label in labels]


@pytest.mark.django_db
def test_an_upgrade_of_the_log_waits_for_a_superuser():
    require_keeper(using="default", plan=plan("privacy"))
    require_keeper(using="vault", plan=plan("audit"))

    with pytest.raises(LogKept, match="sqlwall --open-log"):
        require_keeper(using="default", plan=plan("privacy", "audit"))


@pytest.mark.django_db
def test_a_database_without_a_keeper_is_not_migrated(monkeypatch):
    monkeypatch.setattr("audit.grants.KEEPER", "SELECT to_regprocedure('wall.nobody()')")

    with pytest.raises(KeeperMissing, match="sqlwall"):
        require_keeper(using="default", plan=[])


def test_a_superuser_opens_the_log_and_the_migration_gives_it_back(spoiled, owner):
    run(spoiled.admin(), opening_sql(owner='"market_owner"'))
    run(owner, "ALTER TABLE audit_entry ADD COLUMN later text")
    with owner.cursor() as cursor:
        require_open(cursor, "audit_entry")
        assert install(spoiled) == []

        keep_log(cursor)

        with pytest.raises(LogKept):
            require_open(cursor, "audit_entry")
    assert loose(spoiled) == []
    assert install(spoiled) == []
    with pytest.raises(errors.InsufficientPrivilege):
        run(owner, "ALTER TABLE audit_entry DROP COLUMN later")


def test_the_command_prints_what_opens_the_log():
    printed = command("owner", "sqlwall", "--open-log")

    assert printed.stdout == opening_sql(owner='"market_owner"') + "\n" * (not opening_sql(owner="").endswith("\n"))


def test_giving_the_log_back_twice_changes_nothing(spoiled, owner):
    before = run(owner, "SELECT relname, relacl::text FROM pg_class WHERE relname LIKE 'audit%' ORDER BY 1")

    with owner.cursor() as cursor:
        keep_log(cursor)

    assert run(owner, "SELECT relname, relacl::text FROM pg_class WHERE relname LIKE 'audit%' ORDER BY 1") == before


# A log of before


UNDIVIDED = """
ALTER TABLE audit_entry RENAME TO audit_entry_divided;
CREATE TABLE audit_entry (LIKE audit_entry_divided INCLUDING ALL EXCLUDING INDEXES);
INSERT INTO audit_entry SELECT * FROM audit_entry_divided;
"""
AS_BEFORE = """
DROP TABLE audit_entry_divided;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER append_only;
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'audit_entry' ORDER BY indexname"


def undivide(admin):
    """The log in one table of the owner's, as it was before it was kept by months."""
    indexes = run(admin, INDEXES)
    run(admin, UNDIVIDED)
    run(admin, AS_BEFORE)
    for _name, definition in indexes:
        run(admin, definition.replace(" ON ONLY ", " ON "))
    run(admin, "ALTER TABLE audit_entry ADD PRIMARY KEY USING INDEX audit_entry_pkey")
    run(admin, opening_sql(owner='"market_owner"'))


def convert(owner):
    """What the migration does."""
    migration = import_module("audit.migrations.0005_partitions")
    run(owner, "BEGIN")
    migration.partition(None, SimpleNamespace(connection=owner))
    run(owner, "COMMIT")


@pytest.mark.parametrize("entries", [0, 1000])
def test_a_log_of_before_becomes_the_first_month_without_losing_a_row(spoiled, owner, entries):
    admin = spoiled.admin()
    run(admin, "ALTER TABLE audit_entry DISABLE TRIGGER USER; DELETE FROM audit_entry")
    for _ in range(entries):
        run(admin, ENTRY.format("", ""), str(uuid7()))
    indexes = [name for name, _ in run(admin, INDEXES)]
    undivide(admin)
    assert install(spoiled) == ["audit_entry"]
    before = run(admin, "SELECT * FROM audit_entry ORDER BY id")

    convert(owner)
    assert install(spoiled) == ["audit_entry"]
    with owner.cursor() as cursor:
        keep_log(cursor)

    assert run(admin, "SELECT * FROM audit_entry ORDER BY id") == before
    assert len(before) == entries
    assert [name for name, _ in run(admin, INDEXES)] == indexes
    assert install(spoiled) == []
    assert loose(spoiled) == []
    names = [name for (name,) in run(admin, MONTHS)]
    assert (names[0] == "audit_entry_first", len(names)) == (entries > 0, 3)
    run(spoiled.enter_as(Login.WORKER), ENTRY.format("", ""), str(uuid7()))
    for statement in ("UPDATE audit_entry SET outcome = 'x'", f"DELETE FROM {names[0]}", f"TRUNCATE {names[0]}"):
        with pytest.raises(errors.InsufficientPrivilege, match="append-only"):
            run(admin, statement)


@pytest.mark.django_db(transaction=True)
def test_the_tree_of_a_log_of_before_holds_and_grows(owner_connection, test_databases):
    from audit.actions import integrate_entries, verify_log
    from audit.models import Entry, Verification

    integrate_entries()
    count = Entry.objects.count()
    admin = owner_connection()
    admin.autocommit = True
    undivide(admin)
    run(admin, "SET ROLE market_owner")
    convert(admin)
    run(admin, "RESET ROLE")
    run(admin, "GRANT SELECT, INSERT ON audit_entry TO market_worker")
    connection.close()

    assert Entry.objects.count() == count > 0
    assert verify_log().result == Verification.Result.OK
    assert integrate_entries() > 0
    assert verify_log().result == Verification.Result.OK
