"""A key service that refuses, in each way that AWS documents: a clear page, an alert, and nothing half done.

moto enforces none of these, so a server of these tests stands in for AWS KMS: it speaks its JSON protocol, wraps keys
bound to their encryption context, and refuses as it is told.
"""

import base64
import json
import os
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.config import Config
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.test import Client

from marketplace.accounts.models import User
from privacy.access.gate import unit_of_work
from privacy.alerts.key_watch import watch_keys
from privacy.alerts.models import Alert, AlertKind
from privacy.vault import epochs, keyrings, keys, kms, queries
from privacy.vault.errors import VaultUnavailable
from privacy.vault.identifiers import uuid7
from privacy.vault.keyrings import Label
from privacy.vault.models import Epoch, SubjectKey
from tests.accounts.test_signing_up import FORM
from tests.orders import factories
from tests.orders.conftest import partners
from tests.privacy.vault.test_vault_away import CLOSED, rows

__all__ = ["partners"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("PROTECT-1")]

LABEL = Label("subject-key", uuid7(), uuid7(), "account")
SECRET = bytes(range(32))


@dataclass
class Refusal:
    """What the service answers: an HTTP status and the code in the body; status 0 for no answer at all."""

    status: int
    code: str


# https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors, and the common errors
REFUSALS = {
    "disabled": Refusal(400, "DisabledException"),
    "waiting for its deletion": Refusal(400, "KMSInvalidStateException"),
    "not allowed": Refusal(400, "AccessDeniedException"),
    "deleted": Refusal(400, "NotFoundException"),
    "credentials ended": Refusal(400, "ExpiredTokenException"),
    "throttled": Refusal(400, "ThrottlingException"),
    "not available": Refusal(500, "KeyUnavailableException"),
    "late inside": Refusal(503, "DependencyTimeoutException"),
    "broken inside": Refusal(500, "KMSInternalException"),
    "silent": Refusal(0, ""),
}


class Service(ThreadingHTTPServer):
    """One key that wraps, until ``refusal`` says otherwise."""

    daemon_threads = True
    key = AESGCM(b"k" * 32)
    refusal: Refusal | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ended = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.refusal is None:
            self.answer(200, self.result(self.headers["X-Amz-Target"].partition(".")[2], asked))
        elif self.server.refusal.status:
            self.answer(self.server.refusal.status, {"__type": self.server.refusal.code, "message": "arn:aws:kms:eu-central-1:1:key/x"})
        else:
            self.server.ended.wait(5)

    def result(self, act: str, asked: dict) -> dict:
        context = json.dumps(asked["EncryptionContext"], sort_keys=True).encode()
        if act == "Encrypt":
            nonce = os.urandom(12)
            sealed = nonce + self.server.key.encrypt(nonce, base64.b64decode(asked["Plaintext"]), context)
            return {"CiphertextBlob": base64.b64encode(sealed).decode()}
        sealed = base64.b64decode(asked["CiphertextBlob"])
        return {"Plaintext": base64.b64encode(self.server.key.decrypt(sealed[:12], sealed[12:], context)).decode()}

    def answer(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *parts: object) -> None:
        pass


@pytest.fixture
def service():
    server = Service()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.ended.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def ring(service):
    client = boto3.client(
        "kms", endpoint_url=f"http://127.0.0.1:{service.server_address[1]}", region_name="eu-central-1",
        aws_access_key_id="testing", aws_secret_access_key="testing", config=kms.CONFIGURATION.merge(Config(read_timeout=0.2)),
    )  # fmt: skip
    return kms.KmsKeyRing({1: "the-key"}, client)


@pytest.fixture
def site(ring, monkeypatch):
    """The whole vault on this service."""
    for room in (keyrings, epochs, queries):
        monkeypatch.setattr(room, "key_ring", lambda: ring)
    _forget()
    yield
    _forget()


def _forget():
    """As in a process that has just started."""
    keys.cache.clear()
    epochs.forget_secrets()


@pytest.fixture
def buyer(site, partners):
    return factories.make_customer()


def test_the_stand_in_wraps_as_kms_does(ring):
    assert ring.unwrap(ring.wrap(SECRET, LABEL), LABEL, 1) == SECRET


@pytest.mark.parametrize("why", REFUSALS)
@pytest.mark.parametrize("act", ["wrap", "unwrap"])
def test_each_refusal_is_the_vault_away_and_names_nothing(service, ring, act, why):
    wrapped = ring.wrap(SECRET, LABEL)
    service.refusal = REFUSALS[why]

    with pytest.raises(VaultUnavailable) as failure:
        ring.wrap(SECRET, LABEL) if act == "wrap" else ring.unwrap(wrapped, LABEL, 1)

    assert REFUSALS[why].code in str(failure.value)
    assert "arn:" not in str(failure.value)
    assert "127.0.0.1" not in str(failure.value)
    assert failure.value.__suppress_context__


@pytest.mark.parametrize("why", REFUSALS)
def test_each_refusal_ends_in_a_clear_page_an_alert_and_no_half_written_row(service, buyer, why):
    client = factories.client_of(buyer)
    assert client.get("/account/details/").status_code == 200
    before, wrapped = rows(), (SubjectKey.objects.count(), Epoch.objects.count())
    service.refusal = REFUSALS[why]
    _forget()

    shown, signed_up = client.get("/account/details/"), Client().post("/sign-up/", FORM)

    for page in (shown, signed_up):
        assert page.status_code == 503
        assert CLOSED in page.content.decode()
    assert "Marker" not in shown.content.decode()
    assert rows() == before
    assert (SubjectKey.objects.count(), Epoch.objects.count()) == wrapped
    assert User.objects.count() == 1
    with unit_of_work():
        watch_keys()
    assert Alert.objects.filter(kind=AlertKind.KEY_RING_FAILED, closed_at=None).count() == 1


def test_it_works_again_as_soon_as_the_key_does(service, buyer):
    client = factories.client_of(buyer)
    service.refusal = REFUSALS["disabled"]
    _forget()
    assert client.get("/account/details/").status_code == 503
    service.refusal = None

    assert client.get("/account/details/").status_code == 200
    assert Client().post("/sign-up/", FORM).status_code in (200, 302)
    assert User.objects.count() == 2
