"""Whose keys are gone is known to every process within a second, and within the cache's life without a broker."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time

import pytest
import redis

from privacy.declarations.categories import CATEGORY_SCOPES, Scope
from privacy.vault import key_cache, keys, news
from privacy.vault.errors import KeyDestroyed
from privacy.vault.identifiers import uuid7
from tests.databases import slot_environment
from tests.processes import wait_until
from tests.settings import ROOT

pytestmark = pytest.mark.promise("RIGHTS-3")

# Takes orders by line on its input and answers each with a line.
PROCESS = """
import sys, json, time
import django; django.setup()
from uuid import UUID
from privacy.declarations.categories import CATEGORY_SCOPES, Scope
from privacy.vault import keys
from privacy.vault.news import listener
print("ready", flush=True)
for line in sys.stdin:
    order, id = line.split()
    subject_id = UUID(id)
    if order == "hold":
        keys.key_for_sealing(subject_id, Scope.ACCOUNT)
        print("held", flush=True)
    elif order == "destroy":
        keys.destroy_keys(subject_id, CATEGORY_SCOPES)
        print(time.time(), flush=True)
    elif order == "gone":
        while keys.cache.get(subject_id, Scope.ACCOUNT) is not None:
            time.sleep(0.005)
        print(time.time(), flush=True)
"""


class OtherProcess:
    """A process of the product that holds keys of its own."""

    def __init__(self, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error::ResourceWarning", "-c", PROCESS],
            env=slot_environment(MARKETPLACE_DB_ROLE="worker", **variables),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.read() == "ready"

    def read(self) -> str:
        return self.process.stdout.readline().strip()

    def order(self, what: str, subject_id) -> None:
        self.process.stdin.write(f"{what} {subject_id}\n")
        self.process.stdin.flush()

    def ask(self, what: str, subject_id) -> str:
        self.order(what, subject_id)
        return self.read()

    def end(self) -> str:
        """What it wrote on its error output until it left by itself."""
        _output, errors = self.process.communicate(timeout=20)
        assert self.process.returncode == 0, errors
        return errors


@pytest.fixture
def other(transactional_db):
    process = OtherProcess()
    yield process
    process.process.kill()
    process.process.communicate()


def is_held(subject_id) -> bool:
    """Whether a key of theirs lies in this process's memory. Asking the cache for it would make it go."""
    return subject_id.int in {place[0] for place in list(keys.cache._keys)}


@pytest.fixture(autouse=True)
def fresh_listener():
    news.listener.stop()
    yield
    news.listener.stop()


def test_a_key_destroyed_here_is_gone_there_within_a_second(other):
    subject_id = uuid7()
    assert other.ask("hold", subject_id) == "held"

    other.order("gone", subject_id)
    at = time.time()
    keys.destroy_keys(subject_id, CATEGORY_SCOPES)

    assert float(other.read()) - at < 1
    assert other.end() == ""


def test_a_key_destroyed_there_is_gone_here_within_a_second(other):
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)

    destroyed_at = float(other.ask("destroy", subject_id))
    wait_until(lambda: not is_held(subject_id), "the news", limit=5)

    assert time.time() - destroyed_at < 1
    with pytest.raises(KeyDestroyed):
        keys.key_for_opening(subject_id, Scope.ACCOUNT)


def test_nobody_else_is_dropped(other):
    subject_id, bystander = uuid7(), uuid7()
    for id in (subject_id, bystander):
        keys.key_for_sealing(id, Scope.ACCOUNT)

    other.ask("destroy", subject_id)
    wait_until(lambda: not is_held(subject_id), "the news", limit=5)

    assert keys.cache.get(bystander, Scope.ACCOUNT) is not None


@pytest.fixture
def no_broker(settings, tmp_path):
    settings.BROKER_REDIS_URL = f"unix://{tmp_path}/nothing.sock?db=0"


def test_without_a_broker_a_destroyed_key_lives_no_longer_than_the_cache_keeps_it(transactional_db, no_broker, monkeypatch):
    monkeypatch.setattr(key_cache, "CACHE_SECONDS", 0.5)
    monkeypatch.setattr(news, "LONGEST_PAUSE", 0.1)
    other = OtherProcess()
    try:
        subject_id = uuid7()
        keys.key_for_sealing(subject_id, Scope.ACCOUNT)
        destroyed_at = float(other.ask("destroy", subject_id))

        wait_until(lambda: not is_held(subject_id), "the cache's end", limit=5)

        assert time.time() - destroyed_at < 1.5
        with pytest.raises(KeyDestroyed):
            keys.key_for_opening(subject_id, Scope.ACCOUNT)
    finally:
        other.process.kill()
        other.process.communicate()


def test_behind_a_broker_that_says_nothing_a_key_past_its_time_leaves_the_memory(transactional_db, monkeypatch):
    monkeypatch.setattr(key_cache, "CACHE_SECONDS", 0.5)
    monkeypatch.setattr(news, "SILENCE", 0.1)
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    assert is_held(subject_id)

    wait_until(lambda: not is_held(subject_id), "the sweep", limit=5)


def test_without_a_broker_destroying_still_destroys(transactional_db, no_broker):
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)

    keys.destroy_keys(subject_id, CATEGORY_SCOPES)

    with pytest.raises(KeyDestroyed):
        keys.key_for_opening(subject_id, Scope.ACCOUNT)


def test_the_bounds_are_what_the_documents_say():
    assert (key_cache.CACHE_SECONDS, news.SILENCE) == (30, 15)
    assert news.LONGEST_PAUSE < news.SILENCE


def cut_all_connections(settings) -> None:
    with contextlib.closing(redis.Redis.from_url(settings.BROKER_REDIS_URL)) as client:
        client.client_kill_filter(_type="pubsub", skipme=True)


def test_a_cut_connection_is_made_again_and_what_was_missed_is_dropped(transactional_db, settings):
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)

    cut_all_connections(settings)
    wait_until(lambda: not is_held(subject_id), "a new connection", limit=5)

    keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    news.announce(subject_id)
    wait_until(lambda: not is_held(subject_id), "news on it", limit=5)


def test_the_channel_carries_nothing_but_the_random_id(transactional_db, settings):
    subject_id = uuid7()
    with (
        contextlib.closing(redis.Redis.from_url(settings.BROKER_REDIS_URL)) as client,
        client.pubsub(ignore_subscribe_messages=True) as heard,
    ):
        heard.subscribe(news.CHANNEL)
        heard.get_message(timeout=5)
        keys.destroy_keys(subject_id, CATEGORY_SCOPES)
        message = next(message for _ in range(50) if (message := heard.get_message(timeout=1)))

    assert message["data"] == subject_id.hex.encode()


def test_a_key_read_before_its_destruction_is_not_kept_after_the_news(transactional_db, monkeypatch):
    """The interleaving that loses: read from the vault, destroyed elsewhere, dropped here, and only then put into the cache."""
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    keys.cache.clear()
    unlock, once = keys.unwrap_whole, []

    def destroyed_meanwhile(row):
        key = unlock(row)
        if not once:
            once.append(True)
            keys.destroy_keys(subject_id, CATEGORY_SCOPES)
        return key

    monkeypatch.setattr(keys, "unwrap_whole", destroyed_meanwhile)

    with pytest.raises(KeyDestroyed):
        keys.key_for_opening(subject_id, Scope.ACCOUNT)
    assert keys.cache.get(subject_id, Scope.ACCOUNT) is None


def test_a_child_listens_for_itself(transactional_db):
    """As gunicorn and Celery fork: nothing of the parent's cache, and a listener of its own."""
    subject_id = uuid7()
    keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    assert news.listener.is_alive
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        state = {"cached": len(keys.cache), "alive": news.listener.is_alive}
        news.listener.start()
        state["started"] = news.listener.is_alive
        news.listener.stop()
        os.write(write, json.dumps(state).encode())
        os._exit(0)
    os.waitpid(child, 0)
    state = json.loads(os.read(read, 1000))
    os.close(read)
    os.close(write)

    assert state == {"cached": 0, "alive": False, "started": True}
    assert news.listener.is_alive


def test_it_stops_at_once_and_sleeps_while_there_is_no_news(transactional_db):
    keys.key_for_sealing(uuid7(), Scope.ACCOUNT)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "vault-news"]
    before = time.process_time()
    time.sleep(0.5)
    used = time.process_time() - before

    at = time.monotonic()
    news.listener.stop()

    assert used < 0.1
    assert time.monotonic() - at < 1
    assert not thread.is_alive()
