"""Everything that a call can leave behind, read as the superuser reads it: rows of both databases, files, cache, queue."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import connection, connections

from audit.models import Entry
from tests.databases import TestDatabases, database_name

BROKEN = "the log is broken"
INSTALL = """
CREATE FUNCTION traces_rows() RETURNS TABLE (place text, content text) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE known text;
BEGIN
    FOR known IN
        SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname !~ '^pg_' AND nspname <> 'information_schema'
    LOOP
        RETURN QUERY EXECUTE format('SELECT %L::text, t::text FROM %s t', known, known);
    END LOOP;
END $$;
"""
BREAK = f"""
CREATE FUNCTION traces_break() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE passes int := coalesce(nullif(current_setting('traces.passes', true), ''), '-1');
BEGIN
    IF passes = 0 THEN
        RAISE EXCEPTION '{BROKEN}';
    END IF;
    PERFORM set_config('traces.passes', (passes - 1)::text, false);
    RETURN NULL;
END $$;
CREATE TRIGGER traces_break BEFORE INSERT ON {Entry._meta.db_table} FOR EACH STATEMENT EXECUTE FUNCTION traces_break();
"""
REMOVE = "DROP FUNCTION IF EXISTS traces_rows() CASCADE; DROP FUNCTION IF EXISTS traces_break() CASCADE;"

Rows = Counter[tuple[str, str]]


@contextmanager
def installed(databases: TestDatabases) -> Iterator[None]:
    """The superuser's eyes, and the trigger that breaks the log when a session asks for it."""
    for statements in ({"default": REMOVE + INSTALL + BREAK, "vault": REMOVE + INSTALL}, {"default": REMOVE, "vault": REMOVE}):
        for alias, statement in statements.items():
            admin = databases.servers.connect(database_name(alias))
            with admin, admin.cursor() as cursor:
                cursor.execute(statement)
            admin.close()
        if statements["default"] != REMOVE:
            yield


def rows(alias: str = "default") -> Rows:
    """Every row of every table as text, with what this very transaction has written."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT place, content FROM traces_rows()")
        return Counter(cursor.fetchall())


@contextmanager
def broken_log(passes: int) -> Iterator[None]:
    """After so many statements that write entries, the next one fails in the database."""
    _let_pass(str(passes))
    yield
    _let_pass("")


def _let_pass(passes: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('traces.passes', %s, false)", [passes])


def passes_left() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('traces.passes')")
        return int(cursor.fetchone()[0])


def files() -> dict[str, bytes]:
    """The files of the product below the state directory, their names and contents."""
    roots = [Path(settings.STATE), *(Path(settings.STORAGES[name]["OPTIONS"]["location"]) for name in ("exports", "attachments"))]
    return {str(path): path.read_bytes() for root in roots for path in root.rglob("*") if path.is_file()}


def queue_and_cache() -> Iterator[tuple[str, bytes]]:
    """Every key and value of the broker and the cache; a queued message with its body in clear."""
    for url in (settings.BROKER_REDIS_URL, settings.CACHES["default"]["LOCATION"]):
        client = redis.Redis.from_url(url)
        for key in client.scan_iter():
            yield "a key", key
            for value in _values(client, key):
                yield f"the value of {key!r}", _unpacked(value)
        client.close()


def _values(client: Any, key: bytes) -> list[bytes]:
    readers = {
        b"string": lambda: [client.get(key) or b""],
        b"list": lambda: client.lrange(key, 0, -1),
        b"hash": lambda: [part for pair in client.hgetall(key).items() for part in pair],
        b"set": lambda: list(client.smembers(key)),
        b"zset": lambda: client.zrange(key, 0, -1),
        b"none": list,
    }
    return list(readers[client.type(key)]())


def _unpacked(value: bytes) -> bytes:
    try:
        return value + base64.b64decode(json.loads(value)["body"])
    except (ValueError, TypeError, KeyError):
        return value
