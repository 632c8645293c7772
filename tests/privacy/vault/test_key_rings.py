"""Each key ring wraps, binds and fails alike: the local one, and AWS KMS against a real moto server."""

import base64
import os
import socket
import subprocess
import sys

import boto3
import pytest
from botocore.config import Config
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import ImproperlyConfigured

from marketplace.environment import Environment
from privacy.declarations.categories import Scope
from privacy.vault import epochs, keyrings, keys, kms
from privacy.vault.errors import Unreadable, VaultUnavailable
from privacy.vault.identifiers import uuid7
from privacy.vault.keyrings import Label, LocalKeyRing
from privacy.vault.models import SubjectKey
from tests.processes import free_port, wait_until

pytestmark = pytest.mark.promise("PROTECT-1")

SECRET = bytes(range(32))
LABEL = Label("subject-key", uuid7(), uuid7(), "account")
OTHER_LABELS = [
    Label("epoch", LABEL.id, LABEL.subject_id, LABEL.scope),
    Label(LABEL.kind, uuid7(), LABEL.subject_id, LABEL.scope),
    Label(LABEL.kind, LABEL.id, uuid7(), LABEL.scope),
    Label(LABEL.kind, LABEL.id, LABEL.subject_id, "delivery"),
]
VARIABLES = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-central-1"}


def client(port: int, **timeouts: float):
    configuration = kms.CONFIGURATION.merge(Config(**timeouts))
    return boto3.client(
        "kms", endpoint_url=f"http://127.0.0.1:{port}", region_name="eu-central-1", aws_access_key_id="testing",
        aws_secret_access_key="testing", config=configuration,
    )  # fmt: skip


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def moto():
    """A KMS server of its own on the loopback interface; its port."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env={"PATH": os.environ["PATH"], **VARIABLES}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: is_listening(port), "moto to start")
    yield port
    server.kill()
    server.wait()


@pytest.fixture
def key_ids(moto):
    return {version: client(moto).create_key()["KeyMetadata"]["KeyId"] for version in (1, 2)}


@pytest.fixture(params=["local", "kms"])
def rings(request):
    """(a ring with the first version, a ring with both)."""
    if request.param == "local":
        versions = {1: b"1" * 32, 2: b"2" * 32}
        return LocalKeyRing({1: versions[1]}), LocalKeyRing(versions)
    ids, port = request.getfixturevalue("key_ids"), request.getfixturevalue("moto")
    return kms.KmsKeyRing({1: ids[1]}, client(port)), kms.KmsKeyRing(ids, client(port))


def test_a_key_comes_back_and_its_wrap_does_not_show_it(rings):
    ring = rings[0]

    wrapped = ring.wrap(SECRET, LABEL)

    assert SECRET not in wrapped
    assert ring.unwrap(wrapped, LABEL, 1) == SECRET
    assert ring.wrap(SECRET, LABEL) != wrapped


@pytest.mark.parametrize("other", OTHER_LABELS)
def test_a_wrap_opens_under_its_own_label_alone(rings, other):
    wrapped = rings[0].wrap(SECRET, LABEL)

    with pytest.raises(Unreadable):
        rings[0].unwrap(wrapped, other, 1)


def test_a_damaged_wrap_is_refused(rings):
    wrapped = bytearray(rings[0].wrap(SECRET, LABEL))
    wrapped[-1] ^= 1

    with pytest.raises(Unreadable):
        rings[0].unwrap(bytes(wrapped), LABEL, 1)


def test_the_highest_version_wraps_and_older_ones_still_open(rings):
    old, new = rings

    assert (old.version, new.version) == (1, 2)
    assert new.unwrap(old.wrap(SECRET, LABEL), LABEL, 1) == SECRET
    assert new.unwrap(new.wrap(SECRET, LABEL), LABEL, 2) == SECRET


def test_an_unknown_version_is_refused(rings):
    with pytest.raises(Unreadable, match="version 2"):
        rings[0].unwrap(rings[1].wrap(SECRET, LABEL), LABEL, 2)


def test_a_ring_is_chosen_by_its_name_or_by_the_path_of_its_class(settings, monkeypatch):
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    settings.KMS_KEY_IDS = {3: "alias/marketplace"}
    for name, kind in [("local", LocalKeyRing), ("kms", kms.KmsKeyRing), ("privacy.vault.keyrings.LocalKeyRing", LocalKeyRing)]:
        settings.KEY_RING = name
        keyrings.key_ring.cache_clear()
        assert type(keyrings.key_ring()) is kind
    keyrings.key_ring.cache_clear()


# KMS alone


@pytest.fixture
def site_on_kms(settings, moto, key_ids, monkeypatch):
    """The whole vault on KMS; what was sent to it is kept."""
    sent = []
    ring = kms.KmsKeyRing({1: key_ids[1]}, client(moto))
    ring._client.meta.events.register("before-call.kms.*", lambda params, **_: sent.append(params["body"]))
    keyrings.key_ring.cache_clear()
    monkeypatch.setattr(keyrings, "key_ring", lambda: ring)
    monkeypatch.setattr(epochs, "key_ring", lambda: ring)
    epochs.forget_secrets()
    yield sent
    epochs.forget_secrets()


@pytest.mark.django_db
def test_a_person_s_keys_work_on_kms_and_it_sees_no_data(site_on_kms):
    subject_id = uuid7()

    made = keys.key_for_sealing(subject_id, Scope.ACCOUNT)
    keys.cache.clear()
    epochs.forget_secrets()
    opened = keys.key_for_opening(subject_id, Scope.ACCOUNT)

    assert opened.secret == made.secret
    assert SubjectKey.objects.get(pk=made.id).key_version == 1
    bodies = [body if isinstance(body, bytes) else body.encode() for body in site_on_kms]
    assert len(bodies) >= 4
    assert subject_id.hex.encode() in b"".join(bodies)


@pytest.mark.django_db
def test_damage_on_kms_closes_one_person(site_on_kms):
    one, two = uuid7(), uuid7()
    keys.make_keys([(one, Scope.ACCOUNT), (two, Scope.ACCOUNT)])
    wrapped = SubjectKey.objects.get(subject_id=two).wrapped
    SubjectKey.objects.filter(subject_id=one).update(wrapped=wrapped)
    keys.cache.clear()

    read = keys.load_keys([(one, Scope.ACCOUNT), (two, Scope.ACCOUNT)])

    assert read[one, Scope.ACCOUNT] is None
    assert read[two, Scope.ACCOUNT] is not None


def test_kms_away_is_the_vault_away():
    ring = kms.KmsKeyRing({1: "x"}, client(free_port()))

    with pytest.raises(VaultUnavailable) as failure:
        ring.wrap(SECRET, LABEL)

    assert "127.0.0.1" not in str(failure.value)
    assert failure.value.__suppress_context__


def test_kms_that_says_nothing_is_given_up_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ring = kms.KmsKeyRing({1: "x"}, client(silent.getsockname()[1], read_timeout=0.2))

        with pytest.raises(VaultUnavailable, match="ReadTimeoutError"):
            ring.unwrap(b"wrapped", LABEL, 1)


def test_a_key_that_kms_does_not_know_or_give_is_the_vault_away(moto):
    ring = kms.KmsKeyRing({1: str(uuid7())}, client(moto))

    with pytest.raises(VaultUnavailable, match="NotFoundException"):
        ring.wrap(SECRET, LABEL)


def test_kms_is_not_waited_for_long():
    assert kms.CONFIGURATION.connect_timeout + kms.CONFIGURATION.read_timeout <= 5
    assert kms.CONFIGURATION.retries["total_max_attempts"] == 2


# Keys from a file


def environment(**variables: str) -> Environment:
    return Environment({"MARKETPLACE_DEMO": "0", "DATABASE_URL": "postgresql://x/y", **variables})


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "keys"
    path.write_text("".join(f"{version}:{base64.b64encode(AESGCM.generate_key(256)).decode()}\n" for version in (1, 2)))
    path.chmod(0o600)
    return path


def test_keys_come_from_a_file_a_line_each(key_file):
    assert set(environment(KEY_ENCRYPTION_KEYS_FILE=str(key_file)).key_encryption_keys) == {1, 2}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_stops_the_start(key_file, mode):
    key_file.chmod(mode)

    with pytest.raises(ImproperlyConfigured, match="others can read"):
        environment(KEY_ENCRYPTION_KEYS_FILE=str(key_file)).key_encryption_keys  # noqa: B018


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_stops_the_start(key_file):
    os.chown(key_file, 12345, 12345)

    with pytest.raises(ImproperlyConfigured, match="its owner must be this account or root"):
        environment(KEY_ENCRYPTION_KEYS_FILE=str(key_file)).key_encryption_keys  # noqa: B018


@pytest.mark.parametrize("text", ["", "1:short", "x:y", "1:", "1:AAAA,1:AAAA"])
def test_a_file_that_holds_something_else_stops_the_start_without_repeating_it(key_file, text):
    key_file.write_text(text)

    with pytest.raises(ImproperlyConfigured) as failure:
        environment(KEY_ENCRYPTION_KEYS_FILE=str(key_file)).key_encryption_keys  # noqa: B018

    assert "AAAA" not in str(failure.value)


def test_a_missing_file_stops_the_start(tmp_path):
    with pytest.raises(ImproperlyConfigured, match="cannot be read"):
        environment(KEY_ENCRYPTION_KEYS_FILE=str(tmp_path / "none")).key_encryption_keys  # noqa: B018


def test_kms_keys_are_named_by_version():
    ring = environment(KMS_KEY_IDS="1:arn:aws:kms:eu-central-1:1:key/a,2:alias/marketplace").kms_key_ids

    assert ring == {1: "arn:aws:kms:eu-central-1:1:key/a", 2: "alias/marketplace"}
