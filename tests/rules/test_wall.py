"""Every table stands on the side of the wall that its model declares, with no right beyond those listed."""

from collections import defaultdict

import pytest
from django.db import connection

from audit.record import COLUMNS
from marketplace.database_roles import MAIN_OWNER, MAIN_ROLES
from privacy.declarations.walls import Side
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord
from privacy.vault.secrets import SecretField
from privacy.wall.catalog import standing_shapes
from privacy.wall.foundation import GUARD
from privacy.wall.install import differences
from privacy.wall.logins import Login
from privacy.wall.shape import OWN, declared_wall, walled_models

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-2")]

CUSTOMER = MAIN_ROLES[Login.CUSTOMER]


def rows(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def shapes():
    with connection.cursor() as cursor:
        return standing_shapes(cursor)


def test_every_table_stands_as_declared():
    """But for the tables that tests make for themselves."""
    with connection.cursor() as cursor:
        assert [table for table, _, _ in differences(cursor) if not table.startswith("test_")] == []


def test_every_personal_table_is_held_to_one_person():
    standing = shapes()

    for model in walled_models():
        if issubclass(model, PersonalRecord) or "subject_id" in columns(model):
            assert declared_wall(model).side == Side.SUBJECT, model
        if declared_wall(model).is_by_person:
            policies = {policy.name: policy for policy in standing[model._meta.db_table].policies}
            assert not policies[OWN].permissive, model
            assert policies[OWN].roles == {CUSTOMER}, model


def columns(model):
    return {field.column for field in model._meta.concrete_fields}


def test_a_table_beside_the_wall_points_at_no_person():
    """What a customer's login may read without a policy says nothing of who it is about."""
    for model in walled_models():
        if declared_wall(model).side == Side.PUBLIC and model._meta.app_label != "audit":
            people = [field for field in model._meta.concrete_fields if field.is_relation and is_of_person(field.related_model)]
            assert people == [], model


def is_of_person(model):
    return model is Subject or declared_wall(model).is_by_person


# Columns by which somebody could act as another, or as us. A digest of a random number is one: who can write it has a key.

SECRETS = {"password", "secret", "salt", "digest", "digests", "session_data", "webhook_secret"}
HARMLESS = {"api.RememberedCall.digest": "tells one call of a program from another, and lets nobody in"}


def test_every_secret_is_declared_as_one():
    found = {f"{model._meta.label}.{field.name}" for model in walled_models() for field in secret_fields(model)}
    declared = {f"{model._meta.label}.{name}" for model in walled_models() for name in declared_wall(model).secret}

    assert found - declared == set(HARMLESS)
    assert declared <= found


def secret_fields(model):
    for field in model._meta.concrete_fields:
        if field.name in SECRETS or isinstance(field, SecretField) or getattr(field, "is_credential", False):
            yield field


def test_no_login_but_the_declared_reads_or_changes_a_secret():
    standing = shapes()

    for model in walled_models():
        wall = declared_wall(model)
        allowed = {MAIN_ROLES[login] for login in MAIN_ROLES if login in wall.told_to} | {MAIN_ROLES[Login.WORKER]}
        for right in standing[model._meta.db_table].rights:
            if wall.secret and right.privilege in ("SELECT", "UPDATE") and right.column in ("", *wall.secret):
                assert right.role in allowed, (model, right)


def test_passwords_and_sessions_are_out_of_reach_of_a_customer():
    standing = shapes()
    mine = {table: {right for right in shape.rights if right.role == CUSTOMER} for table, shape in standing.items()}

    for table in (
        "accounts_accountsession",
        "accounts_mailboxindex",
        "accounts_accounttoken",
        "accounts_apitoken",
        "accounts_recoverycodes",
    ):
        assert mine[table] == set(), table


def test_a_customer_changes_columns_and_no_whole_row():
    changed = {right for shape in shapes().values() for right in shape.rights if (right.role, right.privilege) == (CUSTOMER, "UPDATE")}

    assert changed
    assert {right for right in changed if right.column in ("", "id", "subject_id")} == set()


WRITTEN_BY_AUDITORS = {
    "audit_entry": {f"INSERT ({column})" for column in COLUMNS},
    "privacy_opening": {"INSERT"},
    "privacy_readtrait": {"INSERT"},
    "privacy_openingconfirmation": {"INSERT"},
    "privacy_openingclosure": {"INSERT"},
    "privacy_alert": {"INSERT", "UPDATE (count)", "UPDATE (repeated_at)"},
    "privacy_alertnotice": {"INSERT"},
    "privacy_keptsearch": {"INSERT", "UPDATE", "DELETE"},
}
"""What reading leaves behind, and the searches of the log that they keep for themselves."""


def test_an_auditor_reads_and_changes_nothing_of_others():
    written = defaultdict(set)
    for table, shape in shapes().items():
        for right in shape.rights:
            if right.role == MAIN_ROLES[Login.AUDITOR] and right.privilege != "SELECT":
                written[table].add(f"{right.privilege} ({right.column})" if right.column else right.privilege)

    assert written == WRITTEN_BY_AUDITORS


def test_no_row_of_a_person_hangs_on_another_persons():
    linked = {table: shape.links for table, shape in shapes().items() if shape.links}

    assert {link.column for link in linked["orders_orderaddress"]} == {"order_id"}
    assert {link.column for link in linked["privacy_publicmessage"]} == {"ticket_id"}


@pytest.mark.parametrize("role", sorted(MAIN_ROLES.values()))
def test_a_login_makes_nothing_and_lends_nothing(role):
    for privilege in ("CREATE", "TEMP"):
        assert rows("SELECT has_database_privilege(%s, current_database(), %s)", role, privilege) == [(False,)]
    assert rows("SELECT nspname FROM pg_namespace WHERE has_schema_privilege(%s, oid, 'CREATE')", role) == []
    assert rows("SELECT 1 FROM pg_auth_members WHERE member = %s::regrole OR roleid = %s::regrole", role, role) == []
    assert rows("SELECT 1 FROM pg_shdepend WHERE refobjid = %s::regrole AND deptype = 'o'", role) == []


def test_nobody_signs_in_as_the_guard_and_nobody_may_become_it():
    assert rows("SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s", GUARD) == [(False, False, False)]
    assert rows("SELECT 1 FROM pg_auth_members WHERE roleid = %s::regrole", GUARD) == []


def test_the_owner_sees_nothing_past_the_wall_either():
    assert rows("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s", MAIN_OWNER) == [(False, False)]
    seen = {table for table, shape in shapes().items() for policy in shape.policies if policy.roles & {MAIN_OWNER, "pg_database_owner"}}
    assert seen == {"audit_entry"}  # to add to it, and to keep copies


DEFINERS = {"current_subject", "keep_log", "make_log_months", "retire_log_month", "attribute_change"}


def test_only_what_the_guard_does_for_others_runs_as_its_owner_and_no_view_stands_before_a_table():
    definers = "SELECT proname, pg_get_userbyid(proowner) FROM pg_proc WHERE prosecdef AND pronamespace <> 'pg_catalog'::regnamespace"
    views = (
        "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm', 'f')"
        " AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
    )

    assert set(rows(definers)) == {(name, GUARD) for name in DEFINERS}
    assert rows(views) == []
    assert rows("SELECT extname FROM pg_extension") == [("plpgsql",)]


@pytest.mark.parametrize("table", ["signing_key"])
@pytest.mark.parametrize("role", [*sorted(MAIN_ROLES.values()), MAIN_OWNER])
def test_nobody_reads_the_key(role, table):
    for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
        assert rows("SELECT has_table_privilege(%s, %s, %s)", role, f"wall.{table}", privilege) == [(False,)]


@pytest.mark.parametrize("role", sorted(MAIN_ROLES.values()))
def test_nobody_looks_over_a_neighbors_shoulder_or_ends_their_work(role):
    functions = (
        "pg_stat_get_activity(integer)",
        "pg_stat_get_backend_activity(integer)",
        "pg_terminate_backend(integer, bigint)",
        "pg_cancel_backend(integer)",
        "lo_create(oid)",
        "lo_creat(integer)",
        "lo_from_bytea(oid, bytea)",
    )

    assert rows("SELECT has_table_privilege(%s, 'pg_catalog.pg_stat_activity', 'SELECT')", role) == [(False,)]
    for function in functions:
        assert rows("SELECT has_function_privilege(%s, %s, 'EXECUTE')", role, function) == [(False,)], function


@pytest.mark.parametrize("login", [Login.CUSTOMER, Login.GATE])
def test_the_text_of_a_strangers_query_is_not_kept(login):
    assert rows("SELECT rolconfig FROM pg_roles WHERE rolname = %s", MAIN_ROLES[login]) == [(["track_activities=off"],)]


# Indexes: a condition on a column that is sorted across people is tried before the policy, and EXPLAIN ANALYZE tells how
# many rows the policy then took away: a search by halves reads every value, random ones too. A hash is asked for a whole
# value. What is sorted all the same: ids, of which a table tells which there are and since when, and what stands here.

COUNTS = {
    "how many wait, not who": {
        "alert_by_age", "alert_notice_by_state", "export_with_file", "mail_by_state", "operation_unsettled", "order_by_state",
        "receipt_with_records", "request_by_state", "review_by_due", "ticket_by_kind", "ticket_by_state", "withdrawal_by_state",
        "api_rememberedcall_made_at_906df9eb", "orders_guestlink_expires_at_bd151626", "privacy_receiptlink_expires_at_003bd916",
        "privacy_ticketlink_expires_at_ccaed16a",
    },
    "how much is in the log": {"audit_entry_at", "audit_entry_event", "audit_entry_transaction"},
    "numbers that follow one another": {"one_invoice_per_number", "one_credit_note_per_number"},
    "one open alert a fact, of which the kind comes first": {"one_open_alert_per_fact"},
}  # fmt: skip
SORTED = """
SELECT indrelid::regclass::text, indexrelid::regclass::text,
       ARRAY(SELECT attname::text FROM unnest(indkey::int2[]) WITH ORDINALITY AS k (number, place)
             JOIN pg_attribute ON attrelid = indrelid AND attnum = k.number ORDER BY k.place)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) AND amname <> 'hash'
"""


def test_no_index_of_a_walled_table_tells_of_another_person():
    walled = {model._meta.db_table: model for model in walled_models() if declared_wall(model).is_by_person}
    known = set().union(*COUNTS.values())
    telling = {index for table, index, columns in rows(SORTED) if table in walled and tells(walled[table], columns)}

    assert telling - known == set(), "put the person first, or say what it counts"
    assert known - telling == set()


def tells(model, columns):
    """Whether the first column is anything but an id, the person's or another."""
    return columns[0] != model._meta.pk.column and not columns[0].endswith("_id")


def test_a_record_of_a_person_is_indexed_by_the_person_alone():
    """Beside its primary key and links from one row to one: those ids are random."""
    for table, index, columns in rows(SORTED):
        model = next((model for model in walled_models() if model._meta.db_table == table), None)
        if model is not None and issubclass(model, PersonalRecord) and columns[0] != "subject_id":
            (field,) = [field for field in model._meta.concrete_fields if field.column == columns[0]]
            assert field.unique, index
