"""What the process is told: the demo generates its secrets, production refuses to start without them or without TLS."""

import base64
import json
import stat

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from marketplace.environment import Environment, broker_url, next_database

KEY = base64.b64encode(bytes(range(32))).decode()
PRODUCTION = {
    "MARKETPLACE_DEMO": "0",
    "DATABASE_URL": "postgresql://web:p%40ss@db.example.com:5433/market?sslmode=verify-full",
    "DATABASE_CUSTOMER_URL": "postgresql://customer@db.example.com/market?sslmode=verify-full",
    "DATABASE_STAFF_URL": "postgresql://staff@db.example.com/market?sslmode=verify-full",
    "DATABASE_AUDITOR_URL": "postgresql://auditor@db.example.com/market?sslmode=verify-full",
    "DATABASE_WORKER_URL": "postgresql://worker@db.example.com/market?sslmode=verify-full",
    "DATABASE_OWNER_URL": "postgresql://owner@db.example.com/market?sslmode=verify-full",
    "VAULT_DATABASE_URL": "postgresql://vault@keys.example.com/vault?sslmode=require",
    "VAULT_DATABASE_OWNER_URL": "postgresql://keeper@keys.example.com/vault?sslmode=require",
    "REDIS_URL": "rediss://cache.example.com:6379/0",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example.com:587",
    "SITE_URL": "https://shop.example.com",
    "ALLOWED_HOSTS": "shop.example.com",
    "SECRET_KEY": "x" * 60,
    "KEY_ENCRYPTION_KEYS": f"1:{KEY}",
    "BLIND_INDEX_KEY": KEY,
    "WALL_SIGNING_KEY": base64.b64encode(bytes(range(64))).decode(),
}


def read_everything(environ):
    environment = Environment(environ)
    return (
        environment.secret_key,
        environment.key_encryption_keys,
        environment.key("BLIND_INDEX_KEY"),
        environment.key("WALL_SIGNING_KEY", 64),
        environment.databases(),
        environment.runtime_roles(),
        environment.redis_url,
        environment.cache_url,
        environment.mail,
        environment.site_url,
        environment.sandbox_url,
        environment.allowed_hosts,
        environment.port,
    )


def test_production_reads_everything_from_variables():
    environment = Environment(PRODUCTION)

    database = environment.databases()["default"]

    assert (database["HOST"], database["PORT"], database["NAME"], database["USER"]) == ("db.example.com", "5433", "market", "web")
    assert database["PASSWORD"] == "p@ss"
    assert database["OPTIONS"]["sslmode"] == "verify-full"
    assert environment.mail["EMAIL_USE_TLS"] is True
    assert environment.demo is False


@pytest.mark.parametrize("variable", sorted(PRODUCTION.keys() - {"MARKETPLACE_DEMO", "DATABASE_OWNER_URL", "VAULT_DATABASE_OWNER_URL"}))
def test_production_refuses_a_missing_value_in_one_line(variable):
    environ = {name: value for name, value in PRODUCTION.items() if name != variable}

    with pytest.raises(ImproperlyConfigured) as refusal:
        read_everything(environ)

    assert variable in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("variable", ["DATABASE_OWNER_URL", "VAULT_DATABASE_OWNER_URL"])
def test_the_owner_role_refuses_a_missing_owner_url(variable):
    environ = {name: value for name, value in PRODUCTION.items() if name != variable} | {"MARKETPLACE_DB_ROLE": "owner"}

    with pytest.raises(ImproperlyConfigured, match=variable):
        Environment(environ).databases()


@pytest.mark.promise("PROTECT-2")
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "postgresql://web:secret-part@db.example.com/market"),
        ("DATABASE_URL", "postgresql://web:secret-part@db.example.com/market?sslmode=prefer"),
        ("DATABASE_URL", "postgresql://web:secret-part@10.0.0.7/market?sslmode=disable"),
        ("VAULT_DATABASE_URL", "postgresql://vault:secret-part@keys.example.com/vault?sslmode=allow"),
        ("REDIS_URL", "redis://:secret-part@cache.example.com:6379/0"),
        ("CACHE_URL", "redis://:secret-part@cache.example.com:6379/1"),
        ("EMAIL_URL", "smtp://user:secret-part@mail.example.com"),
        ("SITE_URL", "http://shop.example.com"),
        ("SANDBOX_URL", "http://sandbox.example.com"),
        ("ALLOWED_HOSTS", "*"),
    ],
)
def test_production_refuses_unencrypted_transfer(variable, value):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_everything(PRODUCTION | {variable: value})

    assert variable in str(refusal.value)
    assert "secret-part" not in str(refusal.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "postgresql://web@localhost/market"),
        ("DATABASE_URL", "postgresql://web@127.0.0.1/market"),
        ("DATABASE_URL", "postgresql://web@[::1]/market"),
        ("DATABASE_URL", "postgresql://web@/market?host=/run/postgresql"),
        ("REDIS_URL", "unix:///run/valkey.sock?db=0"),
        ("REDIS_URL", "redis://localhost:6379/0"),
        ("EMAIL_URL", "smtp://localhost:25"),
        ("SANDBOX_URL", "http://127.0.0.1:9000"),
    ],
)
def test_production_accepts_a_server_on_this_machine_without_tls(variable, value):
    read_everything(PRODUCTION | {variable: value})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://web@db.example.com/market"),
        ("DATABASE_URL", "postgresql://web@db.example.com:port/market"),
        ("DATABASE_URL", "postgresql://web@db.example.com?sslmode=require"),
        ("REDIS_URL", "http://cache.example.com"),
        ("REDIS_URL", "redis://localhost:6379/queue"),
        ("EMAIL_URL", "smtp+tls://"),
        ("SECRET_KEY", "tiny"),
        ("KEY_ENCRYPTION_KEYS", KEY),
        ("KEY_ENCRYPTION_KEYS", "1:c2hvcnQ="),
        ("KEY_ENCRYPTION_KEYS", f"1:{KEY},1:{KEY}"),
        ("BLIND_INDEX_KEY", "not base64!"),
        ("PORT", "http"),
        ("PORT", "70000"),
        ("MARKETPLACE_DB_ROLE", "superuser"),
        ("MARKETPLACE_DEMO", "yes"),
    ],
)
def test_a_malformed_value_is_refused_in_one_line_that_does_not_repeat_it(variable, value):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_everything(PRODUCTION | {variable: value})

    assert variable in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert value not in str(refusal.value)


def test_the_demo_is_on_without_a_database_url(tmp_path):
    assert Environment({"MARKETPLACE_STATE": str(tmp_path)}).demo is True
    assert Environment({"DATABASE_URL": "postgresql:///x"}).demo is False


def test_the_demo_generates_its_secrets_once_readable_by_the_owner_alone(tmp_path):
    state = tmp_path / "state"

    first = Environment({"MARKETPLACE_STATE": str(state)}).generated
    second = Environment({"MARKETPLACE_STATE": str(state)}).generated

    assert first == second
    assert len(set(first.values())) == len(first)
    assert stat.S_IMODE((state / "secrets.json").stat().st_mode) == 0o600
    read_everything({"MARKETPLACE_STATE": str(state)})


def test_a_secret_added_later_leaves_the_others_as_they_are(tmp_path):
    (tmp_path / "secrets.json").write_text(json.dumps({"SECRET_KEY": "kept"}))

    generated = Environment({"MARKETPLACE_STATE": str(tmp_path)}).generated

    assert generated["SECRET_KEY"] == "kept"
    assert "BLIND_INDEX_KEY" in generated


def test_each_role_gets_a_login_of_its_own(tmp_path):
    logins = {}
    for role in ("owner", "web", "worker"):
        databases = Environment({"MARKETPLACE_STATE": str(tmp_path), "MARKETPLACE_DB_ROLE": role}).databases()
        logins[role] = [database["USER"] for database in databases.values()]

    assert logins == {
        "owner": ["market_owner", "vault_owner"],
        "web": ["market_gate", "vault_user"],
        "worker": ["market_worker", "vault_user"],
    }


@pytest.mark.promise("PROTECT-2")
def test_a_web_process_may_enter_the_logins_of_the_site_and_no_other(tmp_path):
    def logins(role):
        told = Environment({"MARKETPLACE_STATE": str(tmp_path), "MARKETPLACE_DB_ROLE": role}).database_logins()
        assert {str(database["USER"]) for database in told.values()} == {f"market_{login}" for login in told}
        return set(told)

    site = {"gate", "customer", "staff", "auditor"}
    assert (logins("web"), logins("worker"), logins("owner")) == (site, site | {"worker"}, site | {"owner", "worker"})


@given(number=st.integers(0, 60), directory=st.text("abc/-_.", max_size=40))
def test_local_sockets_are_named_for_the_broker_and_the_cache(number, directory):
    url = f"unix:///{directory}/valkey.sock?db={number}"

    assert broker_url(url) == f"redis+socket:///{directory}/valkey.sock?virtual_host={number}"
    assert next_database(url) == f"unix:///{directory}/valkey.sock?db={number + 1}"


def test_the_cache_is_the_next_database_of_the_broker():
    assert next_database("rediss://:p@cache.example.com:6380/3") == "rediss://:p@cache.example.com:6380/4"
    assert next_database("redis://localhost") == "redis://localhost/1"
