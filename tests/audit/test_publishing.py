"""Checkpoints outside, each kind of place as it is: a directory, object storage (a moto server), a witness (a process)."""

import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import boto3
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from audit import publishing
from audit.actions import integrate_entries
from audit.checkpoints import cosigned_note, newest_checkpoint, newest_in, read_checkpoint, verifier_keys
from audit.errors import LogRolledBack
from audit.models import Checkpoint, Cosignature, Publication
from audit.notes import CheckpointText, CosigningKey, SigningKey, encode, open_note, signature_line
from audit.proofs import proof_of
from audit.publishing import Answer, publications, publish_newest
from tests.audit.test_integrate_entries import in_thread
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


def forgery(size):
    """A checkpoint of our log that we did not sign."""
    return SigningKey(settings.AUDIT_ORIGIN, b"z" * 32).sign(str(CheckpointText(settings.AUDIT_ORIGIN, size, bytes(32))))


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
    started.stop()


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


@pytest.fixture
def go_on_unasked(settings):
    """Integrate as a machine of whose places none stands in its settings yet."""

    def run():
        known, settings.AUDIT_PUBLISH = settings.AUDIT_PUBLISH, []
        integrate_entries()
        settings.AUDIT_PUBLISH = known

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
def test_older_database_that_remembers_what_it_published_is_named(write, settings, witness, forget, tamper):
    settings.AUDIT_PUBLISH = [f"{witness.address}#{witness.key}"]
    for count in (3, 5):
        write(count)
        integrate_entries()
    publish_newest()
    tamper("CREATE TABLE remembered AS SELECT * FROM audit_publication")
    forget()
    tamper("INSERT INTO audit_publication SELECT * FROM remembered")

    publish_newest()

    assert the_publication().finding.endswith("the log has 8 entries, here 3")


@worker_only
def test_older_database_that_was_restored_and_went_on_is_named(write, place, forget, go_on_unasked):
    for count in (3, 5):
        write(count)
        integrate_entries()
    publish_newest()
    forget()
    write(9)
    go_on_unasked()

    publish_newest()

    assert "the log of 8 entries has another root" in the_publication().finding
    with pytest.raises(LogRolledBack):
        integrate_entries()


@worker_only
def test_two_logs_of_one_size_are_named(write, place, forget, go_on_unasked):
    for count in (3, 5):
        write(count)
        integrate_entries()
    publish_newest()
    forget()
    write(5)
    go_on_unasked()

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
    write(3)
    integrate_entries()
    settings.AUDIT_PUBLISH = [f"file://{folder}", f"file://{tmp_path}/others"]
    folder.write_text("in the way")

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


LIES = {
    "a failure": (Answer(500, ""), None, "the witness answered 500"),
    "no number": (Answer(409, "many\n"), None, "the witness does not say which size it knows"),
    "other digits": (Answer(409, "٩\n"), None, "the witness does not say which size it knows"),
    "a number without end": (Answer(409, "9" * 5000 + "\n"), None, "the witness does not say which size it knows"),
    "a size beyond ours": (Answer(409, "99\n"), None, "the witness claims 99 entries and does not show it"),
    "a size, and nothing to show": (Answer(409, "99\n"), Answer(404, ""), "the witness claims 99 entries and does not show it"),
    "a size, and a forgery": (Answer(409, "99\n"), Answer(200, forgery(99)), "the witness claims 99 entries and does not show it"),
    "another history": (Answer(422, ""), None, "the witness finds the log inconsistent and does not show it"),
    "another history, and a forgery": (
        Answer(422, ""),
        Answer(200, forgery(99)),
        "the witness finds the log inconsistent and does not show it",
    ),
    "a signature of somebody else": (
        Answer(200, forgery(3).rpartition("\n\n")[2]),
        None,
        "the witness did not sign with the key that we know",
    ),
    "no signature": (Answer(200, "yes\n"), None, "the witness's signature is wrong"),
}


@worker_only
@pytest.mark.parametrize("lie", LIES)
def test_word_of_a_witness_alone_does_not_stop_the_log(write, settings, witness, monkeypatch, lie):
    """Whatever it answers, and whatever it shows in place of a checkpoint that we signed."""
    said, shown, error = LIES[lie]
    write(3)
    integrate_entries()
    settings.AUDIT_PUBLISH = [f"{witness.address}#{witness.key}"]
    real = publishing.Witness._call

    def answer(self, method, path, data=None):
        true = real(self, method, path, data)
        return said if method == "POST" else shown or true

    monkeypatch.setattr(publishing.Witness, "_call", answer)

    publish_newest()

    assert (the_publication().finding, the_publication().error) == ("", error)
    assert Cosignature.objects.count() == 0
    write(1)
    assert integrate_entries() == 1


@worker_only
def test_witness_that_never_heard_of_us_takes_nothing(write, settings, witness, tmp_path):
    (tmp_path / "witness" / "logs").write_text("")
    settings.AUDIT_PUBLISH = [f"{witness.address}#{witness.key}"]
    write(3)
    integrate_entries()

    publish_newest()

    assert (the_publication().finding, the_publication().error) == ("", "the witness answered 404")


ENDLESS = 64_000_000


class Stranger(BaseHTTPRequestHandler):
    """Whoever sits at a witness's address: sends elsewhere, never ends, or never begins."""

    asked: ClassVar[list[str]] = []
    sent = 0

    def do_POST(self):
        self.asked.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/silent"):
            time.sleep(2)
        is_elsewhere = self.path.startswith("/elsewhere")
        self.send_response(302 if is_elsewhere else 200)
        self.send_header("Location", "/somebody")
        self.end_headers()
        with suppress(OSError):
            while self.path.startswith("/endless") and type(self).sent < ENDLESS:
                type(self).sent += self.wfile.write(b"x" * 1_000_000)

    def do_GET(self):
        self.do_POST()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def stranger():
    Stranger.asked, Stranger.sent = [], 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@worker_only
@pytest.mark.parametrize(
    ("manner", "error"),
    [("elsewhere", "the witness answered 302"), ("endless", "the witness's signature is wrong"), ("silent", "ReadTimeout")],
)
def test_stranger_at_the_address_of_a_witness_gets_little(write, settings, stranger, monkeypatch, manner, error):
    monkeypatch.setattr(publishing, "_TIMEOUT", 0.5)
    write(3)
    integrate_entries()
    settings.AUDIT_PUBLISH = [f"{stranger}/{manner}#{CosigningKey('witness.example', b'w' * 32).verifier}"]

    publish_newest()

    assert the_publication().error == error
    assert Stranger.asked == [f"/{manner}/add-checkpoint"]
    assert Stranger.sent < ENDLESS / 2


@worker_only
def test_places_are_brought_up_to_date_by_one_at_a_time(write, settings, tmp_path, monkeypatch):
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/copies"]
    write(3)
    integrate_entries()
    taken = []

    def publish_elsewhere():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(in_thread(publish_newest)).result()

    def take(self, newest, known_size):
        taken.append(newest.size)
        if len(taken) == 1:
            publish_elsewhere()

    monkeypatch.setattr(publishing.Directory, "take", take)

    publish_newest()
    assert taken == [3]
    publish_elsewhere()
    assert taken == [3, 3]


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
def test_copy_in_a_directory_that_was_changed_is_named(write, settings, tmp_path):
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/copies"]
    write(3)
    integrate_entries()
    publish_newest()
    (tmp_path / "copies" / "checkpoint").write_text(forgery(3))

    publish_newest()

    assert "is not signed" in the_publication().finding


@worker_only
def test_copy_in_object_storage_that_was_changed_is_named(write, settings, bucket):
    settings.AUDIT_PUBLISH = [f"s3://{BUCKET}/log"]
    write(3)
    integrate_entries()
    publish_newest()
    bucket.put_object(Bucket=BUCKET, Key="log/checkpoint", Body=forgery(3).encode())

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
