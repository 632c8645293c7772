"""`/healthz` is 200 only when every part works; `/livez` asks for nothing but the process."""

import time

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections

from marketplace.pulse import show_pulse

PARTS = ["database", "vault", "broker", "worker", "beat"]


@pytest.fixture
def pulses(db):
    show_pulse("worker")
    show_pulse("beat")


def test_healthz_is_ok_when_everything_works(client, pulses):
    response = client.get("/healthz")

    report = response.json()
    assert response.status_code == 200
    assert report["healthy"] is True
    assert [report[part]["state"] for part in PARTS] == ["ok"] * 5
    assert all(report[part]["age"] < 5 for part in PARTS)


@pytest.mark.parametrize("process", ["worker", "beat"])
def test_healthz_fails_when_a_process_never_showed_a_pulse(client, pulses, process):
    cache.delete(f"pulse:{process}")

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json()[process] == {"state": "missing", "age": None}


@pytest.mark.parametrize("process", ["worker", "beat"])
def test_healthz_fails_when_a_pulse_is_old(client, pulses, process):
    cache.set(f"pulse:{process}", time.time() - 45)

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json()[process]["state"] == "late"
    assert response.json()[process]["age"] >= 45


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("alias", "part"), [("default", "database"), ("vault", "vault")])
def test_healthz_fails_when_a_database_is_away(client, pulses, monkeypatch, alias, part):
    connections[alias].close()
    for parameters in (connections[alias].settings_dict, *(settings.DATABASE_LOGINS.values() if alias == "default" else ())):
        monkeypatch.setitem(parameters, "HOST", "/nowhere")

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json()[part]["state"] == "failed"


def test_healthz_fails_when_the_broker_is_away(client, pulses, settings):
    settings.BROKER_REDIS_URL = "unix:///nowhere/valkey.sock"

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json()["broker"]["state"] == "failed"


def test_healthz_answers_any_host_without_a_redirect(client, pulses, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/healthz", headers={"host": "10.1.2.3"}).status_code == 200


def test_livez_needs_neither_database_nor_broker(client, settings):
    settings.BROKER_REDIS_URL = "unix:///nowhere/valkey.sock"

    response = client.get("/livez")

    assert response.status_code == 200
    assert response.json() == {"alive": True}


@pytest.mark.parametrize("path", ["/healthz", "/livez"])
def test_probes_refuse_other_methods(client, path):
    assert client.post(path).status_code == 405
