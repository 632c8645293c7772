"""The sandbox behaves like the outside: later, twice, late, and never forgetting a key."""

import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from marketplace.demo.sandbox import Behavior, open_sandbox
from orders.webhooks import is_signed

SECRET = "a secret"
QUICK = Behavior(result_after=0.05, hang=2.0, transit_after=0.05, delivered_after=0.2, twice=0, disorder=0, retry_after=0.1)


class Listener(ThreadingHTTPServer):
    """Takes webhooks and keeps what came; refuses the first ``refusals`` of them."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ListenerHandler)
        self.messages = []
        self.refusals = 0

    def wait_for(self, count, seconds=5):
        end = time.monotonic() + seconds
        while len(self.messages) < count and time.monotonic() < end:
            time.sleep(0.02)
        return self.messages


class ListenerHandler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.refusals > 0:
            self.server.refusals -= 1
            status = 503
        else:
            assert is_signed(SECRET, self.headers["Webhook-Signature"], body, time.time())
            self.server.messages.append((self.path, json.loads(body)))
            status = 200
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def listener():
    server = Listener()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def start(listener, tmp_path):
    running = []

    def start_sandbox(behavior=QUICK):
        sandbox = open_sandbox(0, SECRET, f"http://127.0.0.1:{listener.server_port}", tmp_path / "books.sqlite", behavior)
        sandbox.start_clockwork()
        threading.Thread(target=sandbox.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        running.append(sandbox)
        return f"http://127.0.0.1:{sandbox.server_port}"

    def stop_all():
        while running:
            sandbox = running.pop()
            sandbox.stop()
            sandbox.server_close()

    start_sandbox.stop_all = stop_all
    yield start_sandbox
    stop_all()


def operate(url, kind="authorize", amount=500, key=None, payment=None, timeout=5, **more):
    body = {"kind": kind, "amount": amount, "currency": "EUR", "payment": payment or str(uuid.uuid4()), **more}
    return requests.post(f"{url}/payments/operations", json=body, headers={"Idempotency-Key": key or str(uuid.uuid4())}, timeout=timeout)


def test_operation_is_pending_first_and_told_of_later(start, listener):
    url, key = start(), str(uuid.uuid4())

    answer = operate(url, key=key, method="card", payer="Somebody")

    assert (answer.status_code, answer.json()) == (202, {"state": "pending", "label": "Visa ending 4242"})
    [(path, message)] = listener.wait_for(1)
    assert (path, message["type"], message["key"]) == ("/webhooks/payments/", "authorize.succeeded", key)
    assert requests.get(f"{url}/payments/operations/{key}", timeout=5).json()["state"] == "succeeded"


def test_declined_method_is_refused_later(start, listener):
    operate(start(), method="declined")

    assert listener.wait_for(1)[0][1]["type"] == "authorize.declined"


def test_same_key_is_one_operation_and_another_amount_a_conflict(start, listener):
    url, key, payment = start(), str(uuid.uuid4()), str(uuid.uuid4())

    first, second = (operate(url, key=key, payment=payment, method="card") for _ in range(2))
    other = operate(url, key=key, payment=payment, amount=501, method="card")

    assert (first.status_code, second.status_code, other.status_code) == (202, 202, 409)
    time.sleep(0.4)
    assert len(listener.messages) == 1


def test_capture_beyond_what_is_held_is_declined(start, listener):
    url, payment = start(), str(uuid.uuid4())
    operate(url, payment=payment, method="card")
    listener.wait_for(1)

    operate(url, kind="capture", payment=payment, amount=501)

    assert listener.wait_for(2)[1][1]["type"] == "capture.declined"


def test_slow_method_hangs_once_though_it_goes_through(start, listener):
    url, key, payment = start(), str(uuid.uuid4()), str(uuid.uuid4())

    with pytest.raises(requests.Timeout):
        operate(url, key=key, payment=payment, method="slow", timeout=0.3)

    assert requests.get(f"{url}/payments/operations/{key}", timeout=5).status_code == 200
    assert operate(url, key=key, payment=payment, method="slow", timeout=0.3).status_code == 202
    assert listener.wait_for(1)[0][1]["type"] == "authorize.succeeded"


def test_unknown_key_is_not_found(start):
    assert requests.get(f"{start()}/payments/operations/{uuid.uuid4()}", timeout=5).status_code == 404


def test_message_is_repeated_until_it_is_taken(start, listener):
    listener.refusals = 2

    operate(start(), method="card")

    assert len(listener.wait_for(1)) == 1


def test_message_may_be_sent_twice_under_one_id(start, listener):
    operate(start(Behavior(**{**vars(QUICK), "twice": 1.0})), method="card")

    first, second = listener.wait_for(2)
    assert first == second


def test_operations_survive_a_restart(start, listener):
    url, key = start(), str(uuid.uuid4())
    operate(url, key=key, method="card")
    start.stop_all()

    url = start()

    assert requests.get(f"{url}/payments/operations/{key}", timeout=5).status_code == 200
    assert listener.wait_for(1)[0][1]["key"] == key


def book(url, key, parcel):
    body = {"parcel": parcel, "address": {"addressee": "Somebody", "line1": "Street 1", "country": "DE"}}
    return requests.post(f"{url}/carrier/bookings", json=body, headers={"Idempotency-Key": key}, timeout=5)


def collect(url, parcel):
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    return requests.post(f"{url}/carrier/collections", json={"parcel": parcel}, headers=headers, timeout=5)


def test_booking_gives_one_number_a_key(start):
    url, key, parcel = start(), str(uuid.uuid4()), str(uuid.uuid4())

    first, second = book(url, key, parcel).json(), book(url, key, parcel).json()

    assert first == second
    assert requests.get(f"{url}/carrier/bookings/{key}", timeout=5).json() == first


def test_parcel_moves_once_it_is_collected(start, listener):
    url, parcel = start(), str(uuid.uuid4())
    book(url, str(uuid.uuid4()), parcel)

    collect(url, parcel)
    collect(url, parcel)

    assert [message["type"] for _, message in listener.wait_for(2)] == ["parcel.in_transit", "parcel.delivered"]


def test_messages_arrive_out_of_order_now_and_then(start, listener):
    url, parcel = start(Behavior(**{**vars(QUICK), "disorder": 1.0})), str(uuid.uuid4())
    book(url, str(uuid.uuid4()), parcel)

    collect(url, parcel)

    assert [message["type"] for _, message in listener.wait_for(2)] == ["parcel.delivered", "parcel.in_transit"]


def test_a_parcel_that_nobody_booked_is_not_found(start):
    assert collect(start(), str(uuid.uuid4())).status_code == 404


@pytest.mark.promise("USE-6")
def test_names_and_addresses_are_not_kept(start, tmp_path):
    url = start()

    operate(url, method="card", payer="Marker-Payer")
    book(url, str(uuid.uuid4()), str(uuid.uuid4()))

    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Marker-Payer" not in kept
    assert b"Street 1" not in kept


@pytest.mark.parametrize("body", [b"", b"[]", b'{"kind": "steal"}', b"\xff"])
def test_rubbish_is_refused(start, body):
    url = start()

    answer = requests.post(f"{url}/payments/operations", data=body, headers={"Idempotency-Key": "k"}, timeout=5)

    assert answer.status_code == 400
