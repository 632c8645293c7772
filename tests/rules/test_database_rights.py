"""The running processes own nothing and may only what is listed."""

import pytest
from django.apps import apps
from django.db import connections, router

from marketplace.database_roles import MAIN_USERS, VAULT_USERS
from tests.audit.test_append_only import ADDED_TO

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-2")]

RUNTIME = [("default", role) for role in MAIN_USERS] + [("vault", role) for role in VAULT_USERS]
WHOLE = {"SELECT", "INSERT", "UPDATE", "DELETE"}


def rows(alias, statement, *parameters):
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def tables(alias):
    return {name for (name,) in rows(alias, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def rights(alias, role):
    found = {}
    for table in tables(alias):
        (granted,) = rows(
            alias,
            "SELECT array_agg(privilege) FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE','REFERENCES','TRIGGER']) AS privilege"
            " WHERE has_table_privilege(%s, %s, privilege)",
            role,
            f'public."{table}"',
        )[0]
        found[table] = set(granted or [])
    return found


@pytest.mark.parametrize(("alias", "role"), RUNTIME)
def test_a_runtime_role_owns_nothing_and_is_member_of_nothing(alias, role):
    owned = "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = %s)"
    member = "SELECT count(*) FROM pg_auth_members WHERE member = (SELECT oid FROM pg_roles WHERE rolname = %s)"
    powers = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = %s"

    assert rows(alias, owned, role) == [(0,)]
    assert rows(alias, member, role) == [(0,)]
    assert rows(alias, powers, role) == [(False, False, False, False, False)]


@pytest.mark.parametrize(("alias", "role"), RUNTIME)
def test_no_runtime_role_may_empty_a_table_or_hang_a_trigger_on_it(alias, role):
    for table, granted in rights(alias, role).items():
        assert granted <= WHOLE, table


@pytest.mark.parametrize(("alias", "role"), RUNTIME)
def test_nothing_may_be_made_in_the_database(alias, role):
    assert rows(
        alias, "SELECT has_schema_privilege(%s, 'public', 'CREATE'), has_database_privilege(%s, current_database(), 'CREATE')", role, role
    ) == [(False, False)]


def append_only_tables(alias):
    models = [model for model in apps.get_models() if getattr(model, "append_only", False) or model in ADDED_TO]
    return {model._meta.db_table for model in models if router.db_for_read(model) == alias}


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize(("alias", "role"), RUNTIME)
def test_what_is_append_only_cannot_be_changed_by_grant(alias, role):
    granted = rights(alias, role)

    assert append_only_tables(alias)
    for table in append_only_tables(alias):
        assert granted[table] <= {"SELECT", "INSERT"}, table


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize("alias", ["default", "vault"])
def test_what_is_append_only_has_a_trigger_that_always_fires(alias):
    always = {
        table
        for (table,) in rows(
            alias, "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only' AND tgenabled = 'A' AND (tgtype & 56) = 56"
        )
    }

    assert append_only_tables(alias) <= always


@pytest.mark.promise("COLLECT-3")
def test_the_ledgers_are_append_only():
    assert {
        "privacy_consententry",
        "privacy_consentstatement",
        "privacy_disclosure",
        "privacy_approval",
        "privacy_policyversion",
    } <= append_only_tables("default")
    assert append_only_tables("vault") == {"privacy_destroyedkey"}


@pytest.mark.promise("PROTECT-1")
def test_keys_and_data_stand_apart():
    of_keys = {
        f"privacy_{name}" for name in ("subjectkey", "destroyedkey", "clearing", "epoch", "epochsecret", "keychange", "keyencryptionkey")
    }

    assert of_keys & tables("default") == set()
    assert {name for name in tables("vault") if name != "django_migrations"} == of_keys


@pytest.mark.promise("PROTECT-1")
@pytest.mark.parametrize(("alias", "strangers"), [("default", VAULT_USERS), ("vault", MAIN_USERS)])
def test_the_roles_of_one_database_cannot_connect_to_the_other(alias, strangers):
    for role in strangers:
        assert rows(alias, "SELECT has_database_privilege(%s, current_database(), 'CONNECT')", role) == [(False,)]


def test_the_public_may_nothing():
    for alias in ("default", "vault"):
        assert rows(alias, "SELECT has_database_privilege('public', current_database(), 'CONNECT')") == [(False,)]


def test_no_view_or_function_runs_as_its_owner():
    """Such a thing would read past the grants, and past row-level security. One writes the tables of keys anew, and tells
    nothing of them but whether it could; one notes that they were changed."""
    for alias, known in (("default", []), ("vault", [("note_key_change", False), ("renew_log", False), ("rewrite_keys", False)])):
        functions = """
            SELECT proname, has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc
            WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY proname
        """
        assert rows(alias, functions) == known
        assert rows(alias, "SELECT viewname FROM pg_views WHERE schemaname = 'public'") == []
