"""Checkpoints outside, each kind of place as it is: a directory, object storage (a moto server), a witness (a process)."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress

import boto3
import pytest
from django.core.exceptions import ImproperlyConfigured

from audit import publishing
from audit.actions import integrate_entries
from audit.checkpoints import cosigned_note, newest_checkpoint, newest_in, read_checkpoint, verifier_keys
from audit.errors import LogRolledBack
from audit.models import Checkpoint, Cosignature, Publication
from audit.notes import CosigningKey, SigningKey, encode, open_note, signature_line
from audit.proofs import proof_of
from audit.publishing import publications, publish_newest
from tests.audit.test_witness import WitnessProcess
from tests.processes import free_port, wait_until

pytestmark = pytest.mark.promise("USE-3")

worker_only = pytest.mark.usefixtures("worker")
BUCKET = "checkpoints"
ROLL_BACK = (
    "DELETE FROM audit_cosignature; DELETE FROM audit_publication; DELETE FROM audit_tile;"
    " DELETE FROM audit_checkpoint WHERE size > 3; DELETE FROM audit_leaf WHERE index >= 3;"
    " DELETE FROM audit_entry WHERE id NOT IN (SELECT entry_id FROM audit_leaf)"
)


@pytest.fixture(scope="module")
def storage_server():
    """An object storage of its own on the loopback interface, by moto."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, env={"PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_up():
        with suppress(OSError):
            return publishing.requests.get(f"http://127.0.0.1:{port}/moto-api/", timeout=2).ok

    wait_until(is_up, "moto to start")
    yield f"http://127.0.0.1:{port}"
    server.kill()
    server.wait()


@pytest.fixture
def bucket(storage_server, monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL_S3": storage_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=storage_server)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield client
    for each in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=each["Key"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def witness(tmp_path):
    folder = tmp_path / "witness"
    folder.mkdir()
    (folder / "logs").write_text("".join(f"{key}\n" for key in verifier_keys()))
    started = WitnessProcess(folder)
    yield started
    started.process.kill()
    started.process.wait()
    started.process.stdout.close()


@pytest.fixture(params=["directory", "object storage", "witness"])
def place(request, tmp_path, settings):
    """The address of one place in the settings, and what it has of the log."""
    if request.param == "directory":
        address, read = f"file://{tmp_path}/copies", lambda: newest_in(tmp_path / "copies")
    elif request.param == "object storage":
        client = request.getfixturevalue("bucket")
        address = f"s3://{BUCKET}/shop/log"

        def read():
            body = client.get_object(Bucket=BUCKET, Key="shop/log/checkpoint")["Body"].read()
            return read_checkpoint(body.decode(), verifier_keys())
    else:
        process = request.getfixturevalue("witness")
        address = f"{process.address}#{process.key}"

        def read():
            return read_checkpoint(process.seen(settings.AUDIT_ORIGIN).text, verifier_keys())

    settings.AUDIT_PUBLISH = [address]
    return read


@pytest.fixture
def forget(tamper, settings):
    """Restore an older database, with the first checkpoint, on another machine."""

    def run():
        tamper(ROLL_BACK)
        shutil.rmtree(settings.STATE / "log")

    return run


def the_publication():
    (publication,) = publications()
    return publication


@worker_only
def test_newest_checkpoint_gets_there_and_the_next_after_it(write, place):
    for size in (3, 8):
        write(size if size == 3 else 5)
        integrate_entries()
        publish_newest()
        assert place() == read_checkpoint(newest_checkpoint().note, verifier_keys())
        assert (the_publication().size, the_publication().error, the_publication().behind_since) == (size, "", None)
    publish_newest()
    assert the_publication().error == ""


@worker_only
def test_older_database_that_was_restored_is_named_and_signs_no_more(write, place, forget):
    for count in (3, 5):
        write(count)
        integrate_entries()
    publish_newest()
    forget()

    publish_newest()

    finding = the_publication().finding
    assert finding.startswith("rolled back: ")
    assert finding.endswith("the log has 8 entries, here 3")
    write(1)
    with pytest.raises(LogRolledBack, match="the log has 8 entries, here 3"):
        integrate_entries()


@worker_only
def test_older_database_that_was_restored_and_went_on_is_named(write, place, forget):
    for count in (3, 5):
        write(count)
        integrate_entries()
    publish_newest()
    forget()
    write(9)
    integrate_entries()

    publish_newest()

    assert "the log of 8 entries has another root" in the_publication().finding
    with pytest.raises(LogRolledBack):
        integrate_entries()


@worker_only
def test_two_logs_of_one_size_are_named(write, place, forget):
    for count in (3, 5):
        write(count)
        integrate_entries()
    publish_newest()
    forget()
    write(5)
    integrate_entries()

    publish_newest()

    assert the_publication().finding.startswith("split view: ")
    assert "the log of 8 entries has another root" in the_publication().finding


@worker_only
def test_finding_goes_when_the_right_database_is_back(write, settings, tmp_path):
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/copies"]
    write(3)
    integrate_entries()
    publish_newest()
    Publication.objects.update(finding="rolled back: somewhere the log has 9 entries, here 3")
    write(1)
    with pytest.raises(LogRolledBack):
        integrate_entries()

    publish_newest()

    assert integrate_entries() == 1


@worker_only
def test_place_that_does_not_answer_is_behind_until_it_does(write, settings, tmp_path):
    folder = tmp_path / "copies"
    settings.AUDIT_PUBLISH = [f"file://{folder}", f"file://{tmp_path}/others"]
    folder.write_text("in the way")
    write(3)
    integrate_entries()

    publish_newest()
    late, well = publications()
    assert (late.size, late.error, late.finding) == (0, "NotADirectoryError", "")
    assert late.behind_since is not None
    assert (well.size, well.error) == (3, "")
    publish_newest()
    assert publications()[0].behind_since == late.behind_since

    folder.unlink()
    publish_newest()
    assert (publications()[0].size, publications()[0].behind_since) == (3, None)


@worker_only
def test_cosignature_is_kept_beside_the_checkpoint_and_in_every_proof(write, settings, witness):
    settings.AUDIT_PUBLISH = [f"{witness.address}#{witness.key}"]
    ids = write(3)
    integrate_entries()

    publish_newest()
    publish_newest()

    assert Cosignature.objects.get().witness == "witness.example"
    note = cosigned_note(newest_checkpoint())
    assert open_note(note, [witness.key]) == open_note(note, verifier_keys())
    assert proof_of(ids[0]).endswith(note)


@worker_only
def test_witness_that_signs_with_another_key_is_not_believed(write, settings, witness):
    another = CosigningKey("witness.example", b"n" * 32).verifier
    settings.AUDIT_PUBLISH = [f"{witness.address}#{another}"]
    write(3)
    integrate_entries()

    publish_newest()

    assert the_publication().error.startswith("the witness did not sign")
    assert Cosignature.objects.count() == 0


@worker_only
def test_wrong_signature_of_a_witness_is_not_kept(write, settings, witness, monkeypatch):
    settings.AUDIT_PUBLISH = [f"{witness.address}#{witness.key}"]
    write(3)
    integrate_entries()
    real = publishing.Witness._call

    def sign_wrongly(self, method, path, data=None):
        answer = real(self, method, path, data)
        name, key_id, signature = signature_line(answer.text.rstrip("\n"))
        return answer._replace(text=f"\u2014 {name} {encode(key_id + signature[:-1] + bytes([signature[-1] ^ 1]))}\n")

    monkeypatch.setattr(publishing.Witness, "_call", sign_wrongly)

    publish_newest()

    assert the_publication().error == "the witness's signature is wrong"
    assert Cosignature.objects.count() == 0


@worker_only
def test_word_of_a_witness_alone_does_not_stop_the_log(write, settings, witness, monkeypatch):
    """It says 409 with a size beyond ours, and shows no checkpoint that we signed."""
    settings.AUDIT_PUBLISH = [f"{witness.address}#{witness.key}"]
    write(3)
    integrate_entries()
    real = publishing.Witness._call

    def lie(self, method, path, data=None):
        answer = real(self, method, path, data)
        return answer._replace(status=409, text="99\n") if method == "POST" else answer

    monkeypatch.setattr(publishing.Witness, "_call", lie)

    publish_newest()

    assert (the_publication().finding, the_publication().error) == ("", "the witness claims 99 entries and does not show it")
    write(1)
    assert integrate_entries() == 1


@worker_only
def test_checkpoint_that_was_not_signed_is_not_sent_on(write, settings, tmp_path, tamper):
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/copies"]
    write(3)
    integrate_entries()
    tamper("UPDATE audit_checkpoint SET note = replace(note, '3', '4')")

    with pytest.raises(Exception, match="is not signed"):
        publish_newest()

    assert not (tmp_path / "copies").exists()


@worker_only
def test_copy_outside_that_was_changed_is_named(write, settings, tmp_path):
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/copies"]
    write(3)
    integrate_entries()
    publish_newest()
    (tmp_path / "copies" / "checkpoint").write_text(SigningKey(settings.AUDIT_ORIGIN, b"z" * 32).sign(f"{settings.AUDIT_ORIGIN}\n3\n\n"))

    publish_newest()

    assert "is not signed" in the_publication().finding


@worker_only
def test_former_key_signs_beside_the_new_one_and_its_holders_go_on(write, settings, tmp_path):
    old = verifier_keys()[0]
    write(3)
    integrate_entries()
    before = Checkpoint.objects.get().note
    settings.AUDIT_FORMER_SIGNING_KEY, settings.AUDIT_SIGNING_KEY = settings.AUDIT_SIGNING_KEY, b"n" * 32
    write(3)
    integrate_entries()
    new = verifier_keys()[0]

    overlap = newest_checkpoint().note
    assert open_note(overlap, [old]) == open_note(overlap, [new])
    assert overlap.count("\u2014") == 2

    settings.AUDIT_FORMER_SIGNING_KEY = b""
    settings.AUDIT_FORMER_KEYS = [str(old)]
    write(3)
    integrate_entries()
    assert newest_checkpoint().note.count("\u2014") == 1
    for note in (before, overlap, newest_checkpoint().note):
        assert read_checkpoint(note, verifier_keys())


@pytest.mark.parametrize(
    "address",
    [
        "copies",
        "file://host/copies",
        "file:copies",
        "s3:///copies",
        "ftp://example.com/copies",
        "http://witness.example#" + str(CosigningKey("witness.example", b"w" * 32).verifier),
        "https://witness.example",
        "https://witness.example#" + str(SigningKey("witness.example", b"w" * 32).verifier),
    ],
)
def test_place_that_is_none_is_refused(settings, address):
    settings.AUDIT_PUBLISH = [address]

    with pytest.raises(ImproperlyConfigured):
        publishing.places()


@worker_only
def test_nothing_to_publish_is_nothing_to_do(write, settings):
    publish_newest()
    settings.AUDIT_PUBLISH = ["file:///nowhere"]
    publish_newest()

    assert Publication.objects.count() == 0
