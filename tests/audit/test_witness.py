"""The witness as whoever runs it has it: processes of their own, asked over HTTP."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
import requests

from audit.notes import CheckpointText, CosigningKey, SigningKey, VerifierKey, encode, open_note, sign_note, signature_line
from audit.tree import EMPTY_ROOT, consistency_proof, subtree_roots_of, tree_root
from marketplace.environment import ROOT
from tests.audit.test_tiles import hashes_of

pytestmark = pytest.mark.promise("USE-3")

LOG = SigningKey("shop.example/log", b"s" * 32)
OTHER_LOG = SigningKey("other.example/log", b"o" * 32)
OTHER_WITNESS = CosigningKey("third.example/log", b"t" * 32)
HASHES = hashes_of(0, 400)
SPLIT = hashes_of(400, 800)


class WitnessProcess:
    def __init__(self, folder, program=ROOT, command=("-m", "audit.witness")):
        command = [sys.executable, *command, str(folder), "--name", "witness.example", "--port", "0"]
        self.process = subprocess.Popen(command, cwd=program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.key = VerifierKey.parse(self.process.stdout.readline().strip())
        self.address = self.process.stdout.readline().split()[2].rstrip(",")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def ask(self, old, note, proof=()):
        lines = [f"old {old}", *(encode(each) for each in proof), "", note]
        return self.post("\n".join(lines))

    def post(self, body):
        return requests.post(f"{self.address}/add-checkpoint", data=body, timeout=10)

    def seen(self, origin=LOG.verifier.name):
        return requests.get(f"{self.address}/{sha256(origin.encode()).hexdigest()}/checkpoint", timeout=10)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "logs").write_text(f"{LOG.verifier}\n{OTHER_LOG.verifier}\n{OTHER_WITNESS.verifier}\n")
    return tmp_path


@pytest.fixture
def program(tmp_path):
    """What the witness says that it needs of us, alone in a folder where there is no Django."""
    alone = tmp_path / "program"
    (alone / "audit").mkdir(parents=True)
    for name in ("__init__", "witness", "notes", "tree", "files", "errors"):
        shutil.copy(ROOT / "audit" / f"{name}.py", alone / "audit")
    (alone / "django.py").write_text('raise ImportError("there is no Django here")\n')
    return alone


@pytest.fixture
def start(folder, program):
    started = []

    def run(*how):
        started.append(WitnessProcess(folder, *(how or (program,))))
        return started[-1]

    yield run
    for witness in started:
        witness.stop()


def note(size, hashes=HASHES, key=LOG, root=None, origin=None):
    return key.sign(str(CheckpointText(origin or key.verifier.name, size, root or tree_root(hashes[:size]))))


def proof(old, new, hashes=HASHES):
    return consistency_proof(old, new, subtree_roots_of(hashes[:new]))


def test_witness_cosigns_what_grows_and_shows_it(start):
    witness = start()

    for old, new in ((0, 3), (3, 7), (7, 300), (300, 300)):
        answer = witness.ask(old, note(new), proof(old, new) if 0 < old < new else ())
        assert answer.status_code == 200, (old, new)
        name, key_id, signature = signature_line(answer.text.rstrip("\n"))
        assert (name, key_id) == (witness.key.name, witness.key.id)
        witness.key.check(str(CheckpointText(LOG.verifier.name, new, tree_root(HASHES[:new]))), signature)
    seen = witness.seen()
    assert seen.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert CheckpointText.parse(open_note(seen.text, [witness.key])).size == 300
    assert CheckpointText.parse(open_note(seen.text, [LOG.verifier])).size == 300


def test_a_shop_is_a_witness_by_its_own_command(start):
    assert start(ROOT, ("manage.py", "witness")).ask(0, note(3)).status_code == 200


def test_witness_answers_each_refusal_by_its_own_code(start):
    witness = start()
    assert witness.ask(0, note(5)).status_code == 200
    stranger = SigningKey(LOG.verifier.name, b"x" * 32)

    refusals = {
        "unknown origin": (404, witness.ask(5, note(7, key=SigningKey("unknown.example", b"u" * 32)))),
        "no trusted signature": (403, witness.ask(5, note(7, key=stranger), proof(5, 7))),
        "a wrong signature": (403, witness.ask(5, note(7).replace("\n7\n", "\n8\n"), proof(5, 7))),
        "the key of another log": (403, witness.ask(5, note(7, key=OTHER_LOG, origin=LOG.verifier.name), proof(5, 7))),
        "the key of a witness": (404, witness.ask(0, note(7, key=OTHER_WITNESS))),
        "old beyond the new": (400, witness.ask(8, note(7))),
        "not the known size": (409, witness.ask(3, note(7), proof(3, 7))),
        "not a proof": (422, witness.ask(5, note(7), proof(4, 7))),
        "no proof": (422, witness.ask(5, note(7))),
        "the same size, another root": (422, witness.ask(5, note(5, SPLIT))),
        "another log of the same name": (422, witness.ask(5, note(7, SPLIT), proof(5, 7, SPLIT))),
        "a proof from nothing": (422, witness.ask(0, note(7, key=OTHER_LOG), [EMPTY_ROOT])),
        "an empty log of another root": (422, witness.ask(0, note(0, key=OTHER_LOG, root=b"z" * 32))),
        "malformed": (400, witness.post(f"new 5\n\n{note(7)}")),
        "another spelling of a number": (400, witness.post(f"old 05\n\n{note(7)}")),
        "no empty line": (400, witness.post("old 5\n")),
        "no text": (400, witness.post(b"old 5\n\n\xff")),
        "not base64": (400, witness.post(f"old 5\n???\n\n{note(7)}")),
        "too many hashes": (400, witness.ask(5, note(7), [EMPTY_ROOT] * 64)),
        "too large": (413, witness.post("old 5\n" + "x" * 60_000)),
        "another address": (404, requests.post(f"{witness.address}/checkpoint", data="x", timeout=10)),
        "its key": (404, requests.get(f"{witness.address}/key", timeout=10)),
    }

    assert {name: answer.status_code for name, (_, answer) in refusals.items()} == {name: code for name, (code, _) in refusals.items()}
    conflict = refusals["not the known size"][1]
    assert (conflict.text, conflict.headers["Content-Type"]) == ("5\n", "text/x.tlog.size")
    assert CheckpointText.parse(open_note(witness.seen().text, [LOG.verifier])).size == 5
    assert witness.seen("never.example").status_code == 404


def test_witness_accepts_the_empty_log(start):
    witness = start()

    assert witness.ask(0, note(0)).status_code == 200
    assert witness.ask(0, note(4)).status_code == 200


@pytest.mark.parametrize("slip", [b"no key", b"shop.example/log+00000000+AAAA", str(LOG.verifier).encode()[:-4], b"\xff\xfe"])
def test_line_of_the_list_that_is_no_key_leaves_the_other_logs_answered(start, folder, slip):
    (folder / "logs").write_bytes(f"{LOG.verifier}\n\n".encode() + slip + f"\n  {OTHER_LOG.verifier} \r\n".encode())
    witness = start()

    assert witness.ask(0, note(5)).status_code == 200
    assert witness.ask(0, note(9, key=OTHER_LOG)).status_code == 200
    witness.process.kill()
    assert witness.process.stderr.read().startswith("Line 3 of the file logs is passed over: ")


def test_witness_keeps_several_logs_apart_and_its_key_over_a_restart(start, folder):
    first = start()
    assert first.ask(0, note(5)).status_code == 200
    assert first.ask(0, note(9, key=OTHER_LOG)).status_code == 200
    first.process.kill()

    again = start()

    assert again.key == first.key
    assert again.ask(0, note(7)).status_code == 409
    assert again.ask(5, note(7), proof(5, 7)).status_code == 200
    assert (folder / "key").stat().st_mode & 0o777 == 0o600


def test_two_processes_never_sign_two_stories(start):
    """Each round many ask at once, from two processes, to go on with one of two logs: those of one story win alone."""
    witnesses = start(), start()
    known, story = 0, None
    for size in range(10, 60, 10):

        def ask(number, known=known, size=size):
            hashes = (HASHES, SPLIT)[number % 2]
            answer = witnesses[number // 2 % 2].ask(known, note(size, hashes), proof(known, size, hashes) if known else ())
            return number % 2, answer.status_code

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(16)))

        winners = {which for which, status in answers if status == 200}
        assert len(winners) == 1
        assert story in (None, *winners)
        assert {status for _, status in answers} <= {200, 409, 422}
        known, (story,) = size, winners


def test_sixteen_signatures_and_a_cosigned_note_are_accepted(start):
    witness = start()
    text = str(CheckpointText(LOG.verifier.name, 5, tree_root(HASHES[:5])))
    others = [SigningKey(f"w{number}", bytes([number]) * 32) for number in range(15)]

    assert witness.ask(0, sign_note(text, [*others, LOG])).status_code == 200
