"""The outside, for the demo: a payment provider and a carrier in one small process.

``python -m marketplace.demo.sandbox`` with SANDBOX_PORT, SANDBOX_WEBHOOK_SECRET, SITE_URL (where the signed
messages go) and MARKETPLACE_STATE. Results come later and by webhook; messages are repeated until they are
taken, some are sent twice, some arrive out of order. The method ``slow`` keeps the first caller waiting beyond
any patience although the operation goes through; ``declined`` is refused, later. It knows random ids, amounts
and states; names and addresses that it is sent are read and forgotten.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
import re
import signal
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY = re.compile(r"[A-Za-z0-9-]{1,64}")
SETTLED = ("succeeded", "declined")
LARGEST_BODY = 20_000
CHANCE = random.SystemRandom()
LABELS = {"card": "Visa ending 4242", "declined": "Visa ending 0002", "slow": "Mastercard ending 4444"}
SCHEMA = """
CREATE TABLE IF NOT EXISTS operation (
    key TEXT PRIMARY KEY, kind TEXT, payment TEXT, amount INTEGER, currency TEXT, method TEXT,
    state TEXT, result TEXT, due REAL, held INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS booking (
    key TEXT PRIMARY KEY, parcel TEXT UNIQUE, tracking_number TEXT, label_reference TEXT, collected INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS message (
    id TEXT, path TEXT, body TEXT, due REAL, tries INTEGER DEFAULT 0, taken INTEGER DEFAULT 0);
"""


@dataclass(frozen=True)
class Behavior:
    """Seconds and chances; tests make everything quick and certain."""

    result_after: float = 1.0
    hang: float = 15.0
    transit_after: float = 5.0
    delivered_after: float = 120.0
    twice: float = 0.3
    disorder: float = 0.1
    retry_after: float = 2.0

    @classmethod
    def from_environment(cls) -> Behavior:
        names = {name: f"SANDBOX_{name.upper()}" for name in cls.__dataclass_fields__}
        return cls(**{name: float(os.environ[key]) for name, key in names.items() if key in os.environ})


class Books:
    """What the outside remembers across restarts: opaque ids, amounts and states."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._lock = threading.Lock()
        self._database.executescript("PRAGMA journal_mode=WAL;" + SCHEMA)

    def run(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        rows = self.run(sql, *values)
        return rows[0] if rows else None


class Outside:
    """Payment provider and carrier: take requests, settle them later, tell of it until somebody listens."""

    def __init__(self, books: Books, secret: str, callback: str, behavior: Behavior) -> None:
        self.books = books
        self.behavior = behavior
        self._secret = secret.encode()
        self._callback = callback.rstrip("/")

    def operate(self, key: str, told: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Take a payment operation once; the same key with another amount is a mistake of the caller."""
        amount, method = int(told["amount"]), str(told.get("method", ""))
        method = method if method in LABELS else ""
        row = self.books.one("SELECT * FROM operation WHERE key = ?", key)
        if row is not None and (row["amount"], row["kind"]) != (amount, told["kind"]):
            return 409, {"error": "key used for something else"}
        if row is None:
            kind = str(told["kind"])
            self.books.run(
                "INSERT OR IGNORE INTO operation (key, kind, payment, amount, currency, method, state, result, due) "
                "VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?)",
                key, kind, str(uuid.UUID(told["payment"])), amount, str(told["currency"])[:3], method,
                self._result(kind, str(told["payment"]), amount, method), time.time() + self.behavior.result_after,
            )  # fmt: skip
        return 202, self._shown(key)

    def must_wait(self, key: str) -> bool:
        """True for the first caller of a ``slow`` operation."""
        return bool(self.books.run("UPDATE operation SET held = 1 WHERE key = ? AND method = 'slow' AND held = 0 RETURNING key", key))

    def operation(self, key: str) -> tuple[int, dict[str, Any]]:
        return (200, self._shown(key)) if self.books.one("SELECT key FROM operation WHERE key = ?", key) else (404, {})

    def book(self, key: str, told: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Book a parcel; its address is looked at and not kept."""
        if not told["address"].get("line1"):
            return 422, {"error": "address incomplete"}
        number = f"SB{CHANCE.randrange(10**10):010d}"
        self.books.run(
            "INSERT OR IGNORE INTO booking (key, parcel, tracking_number, label_reference) VALUES (?, ?, ?, ?)",
            key, str(uuid.UUID(told["parcel"])), number, f"L-{uuid.uuid4().hex[:16]}",
        )  # fmt: skip
        return self.booking(key)

    def booking(self, key: str) -> tuple[int, dict[str, Any]]:
        row = self.books.one("SELECT tracking_number, label_reference FROM booking WHERE key = ?", key)
        return (200, dict(row)) if row else (404, {})

    def collect(self, told: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Fetch a parcel once; it moves from then on."""
        parcel = str(uuid.UUID(told["parcel"]))
        first = self.books.run("UPDATE booking SET collected = 1 WHERE parcel = ? AND collected = 0 RETURNING parcel", parcel)
        if not first and not self.books.one("SELECT 1 FROM booking WHERE parcel = ?", parcel):
            return 404, {}
        if first:
            late = self.behavior.delivered_after + 1 if CHANCE.random() < self.behavior.disorder else 0
            self._tell("/webhooks/parcels/", {"type": "parcel.in_transit", "parcel": parcel}, self.behavior.transit_after + late)
            self._tell("/webhooks/parcels/", {"type": "parcel.delivered", "parcel": parcel}, self.behavior.delivered_after)
        return 202, {"state": "collecting"}

    def cancel_booking(self, told: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Forget a parcel that was not fetched yet; one that moves stays."""
        parcel = str(uuid.UUID(told["parcel"]))
        self.books.run("DELETE FROM booking WHERE parcel = ? AND collected = 0", parcel)
        moving = self.books.one("SELECT 1 FROM booking WHERE parcel = ?", parcel)
        return (409, {"error": "collected"}) if moving else (202, {"state": "canceled"})

    def settle(self) -> None:
        """Give every operation that is due its result, and queue the message about it."""
        for row in self.books.run("SELECT * FROM operation WHERE state = 'pending' AND due <= ?", time.time()):
            self.books.run("UPDATE operation SET state = result WHERE key = ?", row["key"])
            self._tell("/webhooks/payments/", {"type": f"{row['kind']}.{row['result']}", "key": row["key"]}, 0)

    def send_due(self) -> None:
        for row in self.books.run("SELECT rowid, * FROM message WHERE taken = 0 AND due <= ? ORDER BY due", time.time()):
            if self._send(row["path"], row["body"].encode()):
                self.books.run("UPDATE message SET taken = 1 WHERE rowid = ?", row["rowid"])
            else:
                wait = self.behavior.retry_after * 2 ** min(row["tries"], 8)
                self.books.run("UPDATE message SET tries = tries + 1, due = ? WHERE rowid = ?", time.time() + wait, row["rowid"])
        self.books.run("DELETE FROM message WHERE taken = 1 AND due < ?", time.time() - 86_400)

    def _result(self, kind: str, payment: str, amount: int, method: str) -> str:
        """What will come of an operation: a declined card, or books that would not add up, end in ``declined``."""
        done = {
            row["kind"]: row["sum"]
            for row in self.books.run(
                "SELECT kind, sum(amount) AS sum FROM operation WHERE payment = ? AND result = 'succeeded' GROUP BY kind", payment
            )
        }
        held = done.get("authorize", 0) - done.get("capture", 0) - done.get("void", 0)
        room = {"capture": held, "void": held, "refund": done.get("capture", 0) - done.get("refund", 0)}
        if method == "declined" or amount <= 0 or amount > room.get(kind, amount):
            return "declined"
        return "succeeded"

    def _shown(self, key: str) -> dict[str, Any]:
        row = self.books.one("SELECT state, method FROM operation WHERE key = ?", key)
        return {"state": row["state"], "label": LABELS.get(row["method"], "")} if row else {}

    def _tell(self, path: str, message: dict[str, str], after: float) -> None:
        message_id = str(uuid.uuid4())
        body = json.dumps({"id": message_id, **message})
        copies = 2 if CHANCE.random() < self.behavior.twice else 1
        for copy in range(copies):
            due = time.time() + after + copy * self.behavior.retry_after
            self.books.run("INSERT INTO message (id, path, body, due) VALUES (?, ?, ?, ?)", message_id, path, body, due)

    def _send(self, path: str, body: bytes) -> bool:
        moment = int(time.time())
        mac = hmac.new(self._secret, b"%d." % moment + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "Webhook-Signature": f"t={moment},v1={mac}"}
        request = urllib.request.Request(self._callback + path, data=body, headers=headers, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
                return response.status == 200
        except (urllib.error.URLError, OSError):
            return False


class Handler(BaseHTTPRequestHandler):
    """The provider's side of the wire. Writes no log: requests carry names and addresses."""

    protocol_version = "HTTP/1.1"
    server: Sandbox

    def do_GET(self) -> None:
        area, _, key = self.path.rpartition("/")
        if self.path == "/livez":
            self._answer(200, {"state": "up"})
        elif area == "/payments/operations" and KEY.fullmatch(key):
            self._answer(*self.server.outside.operation(key))
        elif area == "/carrier/bookings" and KEY.fullmatch(key):
            self._answer(*self.server.outside.booking(key))
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        try:
            status, answer = self._take()
        except (KeyError, TypeError, ValueError, AttributeError):
            status, answer = 400, {"error": "not understood"}
        self._answer(status, answer)

    def _take(self) -> tuple[int, dict[str, Any]]:
        length = int(self.headers.get("Content-Length", 0))
        if not 0 < length <= LARGEST_BODY:
            raise ValueError("length")
        told = json.loads(self.rfile.read(length))
        key = self.headers.get("Idempotency-Key", "")
        if not KEY.fullmatch(key):
            raise ValueError("key")
        outside = self.server.outside
        if self.path == "/payments/operations":
            if told["kind"] not in ("authorize", "capture", "void", "refund"):
                raise ValueError("kind")
            answer = outside.operate(key, told)
            if outside.must_wait(key):
                self.server.stopping.wait(outside.behavior.hang)
            return answer
        return self._carrier(key, told)

    def _carrier(self, key: str, told: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        outside = self.server.outside
        if self.path == "/carrier/bookings":
            return outside.book(key, told)
        if self.path == "/carrier/collections":
            return outside.collect(told)
        if self.path == "/carrier/cancellations":
            return outside.cancel_booking(told)
        return 404, {}

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the caller has given up waiting

    def log_message(self, *args: Any) -> None:
        """Nothing."""


class Sandbox(ThreadingHTTPServer):
    """Serves requests in threads, and settles and tells in one of its own."""

    daemon_threads = True

    def __init__(self, port: int, outside: Outside) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.outside = outside
        self.stopping = threading.Event()
        self._clockwork = threading.Thread(target=self._run_clockwork, daemon=True)

    def start_clockwork(self) -> None:
        self._clockwork.start()

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: an error's text may quote what was sent."""

    def _run_clockwork(self) -> None:
        while not self.stopping.wait(0.1):
            self.outside.settle()
            self.outside.send_due()


def open_sandbox(port: int, secret: str, callback: str, books: Path, behavior: Behavior) -> Sandbox:
    """A sandbox that listens on ``port`` (0: any free one) of this machine alone."""
    books.parent.mkdir(parents=True, exist_ok=True)
    return Sandbox(port, Outside(Books(books), secret, callback, behavior))


def main() -> int:
    state = Path(os.environ.get("MARKETPLACE_STATE") or ".state")
    try:
        sandbox = open_sandbox(
            int(os.environ["SANDBOX_PORT"]),
            os.environ["SANDBOX_WEBHOOK_SECRET"],
            os.environ["SITE_URL"],
            state / "sandbox" / "books.sqlite",
            Behavior.from_environment(),
        )
    except KeyError as missing:
        sys.stderr.write(f"sandbox: {missing.args[0]} is not set\n")
        return 2
    except OSError as problem:
        sys.stderr.write(f"sandbox: cannot listen: {problem.strerror}\n")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=sandbox.stop).start())
    sandbox.start_clockwork()
    try:
        sandbox.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        sandbox.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
