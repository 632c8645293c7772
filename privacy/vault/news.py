"""Every process hears at once whose keys are gone, over the broker; without it they age out by themselves (RIGHTS-3)."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from contextlib import suppress
from functools import lru_cache
from uuid import UUID

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from privacy.vault.key_cache import cache

logger = logging.getLogger(__name__)

CHANNEL = "vault:dropped"
SILENCE = 15  # seconds after which a listener asks whether its connection still lives
LONGEST_PAUSE = 5


def announce(subject_id: UUID) -> None:
    """Tell every process to drop this person's keys: those that were destroyed, or that a newer one replaced.

    Without a broker nobody is told: a cached key opens something for ``CACHE_SECONDS`` at most, and leaves the memory
    at the next sweep, ``SILENCE`` later at most.
    """
    try:
        _publisher(settings.BROKER_REDIS_URL).publish(CHANNEL, subject_id.hex)
    except (redis.RedisError, OSError) as error:
        logger.warning("nobody was told of dropped keys: %s", type(error).__name__)


@lru_cache(maxsize=1)
def _publisher(url: str) -> redis.Redis:
    """Kept open; a connection that the broker has ended meanwhile is made anew."""
    return _client(url)


def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=5,
        socket_connect_timeout=2,
        health_check_interval=SILENCE,
        retry=Retry(NoBackoff(), 0),
    )


class Listener:
    """One thread of this process that drops keys as they are announced; started by the first key, gone after a fork."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._has_tried = threading.Event()
        self._lock = threading.Lock()
        self._connection: redis.client.PubSub | None = None

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Listen, unless this process does already. Waits for a moment, so that what is read next is not missed news of."""
        if self.is_alive or self._stopping.is_set():
            return
        with self._lock:
            if not self.is_alive:
                self._thread = threading.Thread(target=self._run, name="vault-news", daemon=True)
                self._thread.start()
                self._has_tried.wait(timeout=1)

    def stop(self) -> None:
        """End the thread and its connection, and wait for both."""
        self._stopping.set()
        if self._connection is not None and self._connection.connection is not None:
            with suppress(redis.RedisError, OSError):
                self._connection.connection.disconnect()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self.reset()

    def _run(self) -> None:
        pause = 0.1
        while not self._stopping.is_set():
            client = _client(settings.BROKER_REDIS_URL)
            try:
                with client.pubsub(ignore_subscribe_messages=False) as connection:
                    self._connection = connection
                    connection.subscribe(CHANNEL)
                    pause = 0.1
                    self._listen(connection)
            except (redis.RedisError, OSError, ValueError):
                cache.sweep()
                self._stopping.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            finally:
                self._has_tried.set()
                self._connection = None
                client.close()

    def _listen(self, connection: redis.client.PubSub) -> None:
        while not self._stopping.is_set():
            message = connection.get_message(timeout=SILENCE)
            if message is None:
                cache.sweep()  # the broker may be unreachable without our connection knowing
            elif message["type"] == "subscribe":
                cache.clear()  # nobody told us anything until now
                self._has_tried.set()
            elif message["type"] == "message":
                cache.drop(UUID(message["data"].decode("ascii")))


listener = Listener()
os.register_at_fork(after_in_child=listener.reset)
atexit.register(listener.stop)
