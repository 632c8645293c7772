"""Keeps PROTECT-2: what happens to accounts, rights and personal data can be watched by whatever reads the processes' logs.

One line of JSON for each word that the OWASP vocabulary has for an entry, written once the entry has committed. It
holds what the entry holds, ids and tokens alone, and of the request its method and the pattern of its address: the
address itself may hold what somebody typed, and who sent it is kept nowhere.
"""

import json
import logging
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from audit.events import Event
from audit.owasp import SAID, words_of

APPLICATION = "marketplace"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

logger = logging.getLogger("audit.security")
current_request: ContextVar[HttpRequest | None] = ContextVar("audit_request", default=None)

_HOST = socket.gethostname()
_is_on = False


def write_security_log(is_on: bool = True) -> None:
    """From now on this process writes its lines: called where a web server or a worker begins, not by commands."""
    global _is_on  # noqa: PLW0603 - a property of the process, as its logging is
    _is_on = is_on


def announce(entries: Iterable[Mapping[str, Any]]) -> None:
    """Write the lines of these entries (the columns of the log by name) when the current transaction has committed."""
    if not _is_on:
        return
    now = datetime.now(UTC)
    spoken = [entry for entry in entries if words_of(Event(entry["event"]), entry["outcome"])]
    if spoken:
        transaction.on_commit(lambda: _write(spoken, now), robust=True)


def address_of(request: HttpRequest) -> str:
    """The pattern of the page, without what stood in its place: a mailed link's token works for whoever reads it."""
    return f"/{request.resolver_match.route}" if request.resolver_match else "(no page of ours)"


def _write(entries: Iterable[Mapping[str, Any]], at: datetime) -> None:
    for entry in entries:
        for line in _lines(entry, at):
            logger.info("%s", json.dumps(line, ensure_ascii=True, separators=(",", ":")))


def _lines(entry: Mapping[str, Any], at: datetime) -> Iterator[dict[str, str]]:
    for word in words_of(Event(entry["event"]), entry["outcome"]):
        level, description = SAID[word]
        yield {
            "datetime": at.isoformat(timespec="milliseconds"),
            "appid": APPLICATION,
            "event": f"{word}:{','.join(_arguments(entry))}",
            "level": level.value,
            "description": description,
            "hostname": _HOST,
            "entry": str(entry["id"]),
            "entry_event": entry["event"],
            "outcome": entry["outcome"],
            "purpose": entry["purpose"],
            **_request(entry),
        }


def _arguments(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    """Who, about whom, and what was acted upon; "-" for nobody and nothing."""
    who = entry["actor_id"] or entry["actor_name"] or "-"
    what = f"{entry['object_label']}/{entry['object_id']}" if entry["object_id"] else "-"
    return f"{entry['actor_role']}/{who}", str(entry["subject_id"] or "-"), what


def _request(entry: Mapping[str, Any]) -> dict[str, str]:
    """What is known of the web request; nothing in a job."""
    request = current_request.get()
    if request is None:
        return {}
    return {
        "request_id": str(entry["request_id"] or "-"),
        "request_method": request.method if request.method in METHODS else "-",  # a client may send any word
        "request_uri": address_of(request),
    }
