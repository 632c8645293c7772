"""The single file that a stranger runs: as a process of its own, in an empty folder, knowing nothing of the site."""

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from base64 import b64encode

import pytest

from audit.actions import integrate_entries
from audit.checkpoints import sign_checkpoint, verifier_keys
from audit.identifiers import uuid7
from audit.models import Checkpoint, Entry, Leaf
from audit.notes import SigningKey
from audit.proofs import VERIFIER, bundle, consistency_proof, opened_entry, proof_of
from audit.tree import EMPTY_ROOT

pytestmark = pytest.mark.promise("USE-3")

worker_only = pytest.mark.usefixtures("worker")
HOLDS, DOES_NOT_HOLD, UNREADABLE, NOT_ALL_CHECKED = range(4)


@pytest.fixture
def folder(tmp_path):
    shutil.copy(VERIFIER, tmp_path)
    return tmp_path


@pytest.fixture
def run(folder):
    """`run("entry", "a.json", …)` gives the exit code and what was printed."""

    def start(*arguments):
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": ""}
        program = [sys.executable, "-I", VERIFIER.name, *map(str, arguments)]
        result = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert not result.stderr, result.stderr
        return result.returncode, result.stdout

    return start


@pytest.fixture
def people(write):
    """Five entries of one person, one of nobody, in one checkpoint; then more of others in a second."""
    ids = [*write(5, uuid7()), *write(1)]
    integrate_entries()
    write(300, uuid7())
    integrate_entries()
    return ids


@pytest.fixture
def one(people, folder):
    """The files of the third entry."""
    (folder / "a.json").write_bytes(opened_entry(Entry.objects.get(pk=people[2])))
    (folder / "a.tlog-proof").write_text(proof_of(people[2]))
    return ["entry", "a.json", "a.tlog-proof"]


def key():
    return str(verifier_keys()[0])


def rewrite(path, **changes):
    opened = json.loads(path.read_text())
    for name, value in changes.items():
        (opened if name in opened else opened["content"])[name] = value
    path.write_text(json.dumps(opened))


def test_it_needs_nothing_of_ours_and_one_package():
    tree = ast.parse(VERIFIER.read_text(), feature_version=(3, 9))
    imported = {name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert imported - set(sys.stdlib_module_names) == {"cryptography"}
    assert len([line for line in VERIFIER.read_text().splitlines() if line.strip()]) < 300


@worker_only
def test_entry_holds(one, run):
    code, said = run(*one, "--key", key())

    assert code == HOLDS
    assert "entry 2: holds." in said
    assert "privacy.data.opened by support, purpose dispatch, ok" in said
    assert said.endswith("Everything holds.\n")


@worker_only
@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"purpose": "marketing"}, "its content, or its key, was changed"),
        ({"key": b64encode(b"k" * 32).decode()}, "its content, or its key, was changed"),
        ({"key_id": str(uuid7())}, "it is not in the log"),
        ({"key_id": "", "key": ""}, "it is not in the log"),
        ({"key": "", "commitment": b64encode(b"c" * 32).decode()}, "it is not in the log"),
    ],
)
def test_entry_that_was_changed_does_not_hold(one, run, folder, changes, finding):
    rewrite(folder / "a.json", **changes)

    code, said = run(*one, "--key", key())

    assert code == DOES_NOT_HOLD
    assert finding in said
    assert "Everything holds" not in said


@worker_only
def test_entry_whose_key_was_taken_out_is_not_taken_for_checked(one, run, folder):
    rewrite(folder / "a.json", key="", purpose="marketing")

    code, said = run(*one, "--key", key())

    assert code == NOT_ALL_CHECKED
    assert "WHAT IT SAYS CANNOT BE CHECKED" in said
    assert "marketing" not in said


@worker_only
def test_entry_with_a_name_twice_is_not_read(one, run, folder):
    text = (folder / "a.json").read_text()
    (folder / "a.json").write_text(text.replace('"purpose": "dispatch"', '"purpose": "lies", "purpose": "dispatch"'))

    assert run(*one, "--key", key())[0] == UNREADABLE


@worker_only
def test_proof_with_any_line_changed_does_not_hold(one, run, folder):
    whole = (folder / "a.tlog-proof").read_text().split("\n")
    for number, line in enumerate(whole):
        if not line or line.startswith("\u2014"):
            continue
        changed = ("B" if line[0] != "B" else "C") + line[1:]
        (folder / "a.tlog-proof").write_text("\n".join([*whole[:number], changed, *whole[number + 1 :]]))
        assert run(*one, "--key", key())[0] in (DOES_NOT_HOLD, UNREADABLE), line


@worker_only
def test_another_index_or_a_shorter_or_longer_proof_does_not_hold(one, run, folder):
    text = (folder / "a.tlog-proof").read_text()
    lines = text.split("\n")
    for changed in (text.replace("index 2", "index 3"), text.replace("index 2", "index 306"), "\n".join(lines[:2] + lines[3:])):
        (folder / "a.tlog-proof").write_text(changed)
        assert run(*one, "--key", key())[0] == DOES_NOT_HOLD
    longer = "\n".join([*lines[:3], lines[2], *lines[3:]])
    (folder / "a.tlog-proof").write_text(longer)
    assert run(*one, "--key", key())[0] == DOES_NOT_HOLD


@worker_only
def test_the_key_of_a_stranger_does_not_do(one, run):
    stranger = SigningKey(verifier_keys()[0].name, b"x" * 32).verifier

    assert run(*one, "--key", stranger)[0] == DOES_NOT_HOLD
    assert run(*one)[0] == UNREADABLE  # the key of one entry has to be named


@worker_only
def test_bundle_as_zip_and_as_folder(people, run, folder):
    (folder / "download.zip").write_bytes(bundle(Entry.objects.filter(pk__in=people[:5])))
    zipfile.ZipFile(folder / "download.zip").extractall(folder / "unpacked")

    for place in ("download.zip", "unpacked"):
        code, said = run("bundle", place)
        assert code == HOLDS
        assert "5 of 5 entries are in the log, 0 of them unread." in said
        assert "Compare them with those that the shop published" in said
        assert "Compare them" not in run("bundle", place, "--key", "unpacked/keys.txt")[1]


@worker_only
def test_bundle_in_which_an_entry_was_changed_or_its_proof_taken_out(people, run, folder):
    (folder / "download.zip").write_bytes(bundle(Entry.objects.filter(pk__in=people)))
    zipfile.ZipFile(folder / "download.zip").extractall(folder / "unpacked")
    assert run("bundle", "unpacked")[0] == NOT_ALL_CHECKED  # the one of nobody is unread
    rewrite(folder / "unpacked" / "entries" / "3.json", outcome="refused")
    (folder / "unpacked" / "entries" / "1.tlog-proof").unlink()

    code, said = run("bundle", "unpacked")

    assert code == DOES_NOT_HOLD
    assert "entries/3: DOES NOT HOLD: its content, or its key, was changed" in said
    assert "entries/1: DOES NOT HOLD: the entry or its proof is missing" in said
    assert "4 of 6 entries are in the log" in said


@worker_only
def test_bundle_of_an_erased_person_is_in_the_log_and_unread(people, run, folder, keys):
    subject = Entry.objects.get(pk=people[0]).subject_id
    before = [proof_of(entry_id) for entry_id in people]
    keys.erase(subject)

    (folder / "download.zip").write_bytes(bundle(Entry.objects.filter(pk__in=people[:5])))

    code, said = run("bundle", "download.zip")
    assert code == NOT_ALL_CHECKED
    assert "5 of 5 entries are in the log, 5 of them unread." in said
    assert [proof_of(entry_id) for entry_id in people] == before
    commitments = {bytes(leaf.commitment) for leaf in Leaf.objects.filter(entry_id__in=people[:5])}
    assert len(commitments) == 5  # five entries of one person, and nothing in the leaves says that they belong together


@worker_only
def test_empty_and_foreign_bundles_are_not_read(run, folder):
    (folder / "nothing").mkdir()
    (folder / "a.zip").write_bytes(b"no zip")

    assert [run("bundle", place)[0] for place in ("nothing", "a.zip", "missing")] == [UNREADABLE] * 3


@worker_only
def test_consistency_of_two_checkpoints(people, run, folder):
    small, large = Checkpoint.objects.order_by("size")
    (folder / "old").write_text(small.note)
    (folder / "new").write_text(large.note)
    hashes = consistency_proof(small.size, large.size)
    (folder / "proof").write_text("".join(f"{b64encode(each).decode()}\n" for each in hashes))

    code, said = run("consistency", "old", "new", "proof", "--key", key())
    assert (code, "nothing was changed or removed in between" in said) == (HOLDS, True)

    (folder / "proof").write_text("".join(f"{b64encode(each).decode()}\n" for each in [*hashes[:-1], EMPTY_ROOT]))
    assert run("consistency", "old", "new", "proof", "--key", key())[0] == DOES_NOT_HOLD
    code, said = run("consistency", "new", "old", "proof", "--key", key())
    assert (code, "the log shrank" in said) == (DOES_NOT_HOLD, True)


@worker_only
def test_split_view_is_named(people, run, folder):
    newest = Checkpoint.objects.order_by("-size").first()
    (folder / "old").write_text(newest.note)
    (folder / "new").write_text(sign_checkpoint(newest.size, EMPTY_ROOT))
    (folder / "proof").write_text("")

    code, said = run("consistency", "old", "new", "proof", "--key", key())

    assert (code, "a split view" in said) == (DOES_NOT_HOLD, True)
