"""The single file that a stranger runs: as a process of its own, in an empty folder, knowing nothing of the site."""

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from base64 import b64decode, b64encode
from uuid import UUID

import pytest

from audit.actions import integrate_entries
from audit.checkpoints import sign_checkpoint, sign_contents, signing_keys, verifier_keys
from audit.identifiers import uuid7
from audit.models import Checkpoint, Entry, Leaf
from audit.notes import CheckpointText, CosigningKey, SigningKey, encode, sign_note
from audit.proofs import VERIFIER, bundle, consistency_proof, opened_entry, proof_of
from audit.tree import EMPTY_ROOT, inclusion_proof, leaf_hash, subtree_roots_of, tree_root

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
    assert len([line for line in VERIFIER.read_text().splitlines() if line.strip()]) < 330


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


@pytest.fixture
def unpacked(people, folder):
    """`unpacked(name, ids)`: the folder of a download with these entries."""

    def make(name, ids):
        (folder / f"{name}.zip").write_bytes(bundle(Entry.objects.filter(pk__in=ids)))
        zipfile.ZipFile(folder / f"{name}.zip").extractall(folder / name)
        return folder / name

    return make


@worker_only
def test_bundle_out_of_which_something_was_taken_or_into_which_something_was_put(people, run, folder, unpacked):
    whole, other = unpacked("whole", people[:5]), unpacked("other", people[2:4])
    contents = (whole / "contents").read_text()
    name = f"{verifier_keys()[0].name}/bundle"
    assert contents.startswith(f"{name}\n5\n306\n0\n1\n2\n3\n4\n\n\u2014 {name} ")

    def rewritten(change):
        shutil.rmtree(folder / "changed", ignore_errors=True)
        shutil.copytree(whole, folder / "changed")
        change(folder / "changed")
        return run("bundle", "changed", "--key", key())

    def without_a_pair(place):
        (place / "entries" / "2.json").unlink()
        (place / "entries" / "2.tlog-proof").unlink()

    def with_pairs_of_another_download(place):
        """The list is that of the other, which has the third and the fourth alone."""
        shutil.copy(other / "contents", place)

    def with_one_pair_in_place_of_another(place):
        shutil.copy(place / "entries" / "4.json", place / "entries" / "2.json")
        shutil.copy(place / "entries" / "4.tlog-proof", place / "entries" / "2.tlog-proof")

    def with_another_list(text):
        return lambda place: (without_a_pair(place), (place / "contents").write_text(text))

    older = Checkpoint.objects.order_by("size").first()
    refusals = {
        "a pair out": (without_a_pair, "entries/2: DOES NOT HOLD: the entry or its proof is missing"),
        "a pair added": (with_pairs_of_another_download, "entries/4: DOES NOT HOLD: it was put in"),
        "a pair in place of another": (with_one_pair_in_place_of_another, "entries/2: DOES NOT HOLD: its proof is of another place"),
        "the list is shorter": (with_another_list(contents.replace("\n5\n306\n0\n1\n2\n", "\n4\n306\n0\n1\n")), f"the signature of {name} is wrong"),
        "the list is a stranger's": (
            with_another_list(SigningKey(name, b"x" * 32).sign(f"{name}\n4\n306\n0\n1\n3\n4\n")),
            f"no key of the log signed it: {name}",
        ),
        "the list under the name of the log": (
            with_another_list(sign_note(f"{verifier_keys()[0].name}\n4\n306\n0\n1\n3\n4\n", signing_keys())),
            "no key of the log signed it",
        ),
        "the list of another checkpoint": (with_another_list(sign_contents([0, 1, 3, 4], 6)), "belongs to another checkpoint"),
        "the list is out": (lambda place: (place / "contents").unlink(), "contents is missing"),
        "the checkpoint is out": (lambda place: (place / "checkpoint").unlink(), "checkpoint is missing"),
        "another checkpoint": (lambda place: (place / "checkpoint").write_text(older.note), "belongs to another checkpoint"),
    }  # fmt: skip
    assert run("bundle", "whole", "--key", key())[0] == HOLDS
    for what, (change, finding) in refusals.items():
        code, said = rewritten(change)
        assert (code, finding in said) == (DOES_NOT_HOLD, True), (what, said)
    assert rewritten(lambda place: (place / "contents").write_text(contents.replace("\n5\n", "\n6\n")))[0] == UNREADABLE
    assert rewritten(lambda place: (place / "contents").write_text("lies\n"))[0] == UNREADABLE


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
def test_damaged_zip_is_not_a_log_that_does_not_hold(people, run, folder):
    whole = bundle(Entry.objects.filter(pk__in=people[:5]))
    middle = whole.index(b"entries/") + 60
    encrypted = bytearray(whole)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        found = -1
        while (found := whole.find(mark, found + 1)) >= 0:
            encrypted[found + place] |= 1
    at = whole.rindex(b"contents")
    renamed = whole[:at] + b"d" + whole[at + 1 :]
    damaged = {
        "renamed": renamed,
        "flipped": whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :],
        "short": whole[:-30],
        "locked": bytes(encrypted),
    }

    for name, data in damaged.items():
        (folder / "a.zip").write_bytes(data)
        assert (name, run("bundle", "a.zip")[0]) == (name, UNREADABLE)


@worker_only
@pytest.mark.parametrize(("text", "code"), [("\\ud800", DOES_NOT_HOLD), ("[" * 100_000, UNREADABLE)])
def test_text_that_no_entry_has_does_not_stop_the_check(one, run, folder, text, code):
    entry = (folder / "a.json").read_text()
    changed = text if code == UNREADABLE else entry.replace('"dispatch"', f'"{text}"')
    (folder / "a.json").write_text(changed)

    answer, said = run(*one, "--key", key())

    assert (answer, "Traceback" in said) == (code, False)


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


# Signatures and heads, of a log that is made here


LOG, STRANGER = SigningKey("shop.example/log", b"l" * 32), SigningKey("shop.example/log", b"s" * 32)
WITNESS, OTHER_WITNESS = CosigningKey("witness.example", b"w" * 32), CosigningKey("other.example", b"o" * 32)
UNREAD = {"content": {"id": str(uuid7())}, "commitment": encode(b"c" * 32), "key": "", "key_id": ""}
LEAF = b"\x01" + UUID(UNREAD["content"]["id"]).bytes + bytes(16) + b"c" * 32
HASHES = [leaf_hash(leaf) for leaf in (b"0", b"1", LEAF, b"3", b"4")]
TEXT = str(CheckpointText("shop.example/log", 5, tree_root(HASHES)))
HEAD = "\n".join(["c2sp.org/tlog-proof@v1", "index 2", *map(encode, inclusion_proof(2, 5, subtree_roots_of(HASHES)))])


@pytest.fixture
def check(run, folder):
    """`check(note, …)` checks a proof that ends with this note, and the note alone: how it ends, and what was said."""
    (folder / "e.json").write_text(json.dumps(UNREAD))

    def start(note, *options, head=HEAD):
        (folder / "note").write_text(note)
        (folder / "e.tlog-proof").write_bytes(f"{head}\n\n{note}".encode())
        code, said = run("entry", "e.json", "e.tlog-proof", *options)
        alone, more = run("checkpoint", "note", *options)
        assert alone == (HOLDS if code == NOT_ALL_CHECKED or head != HEAD else code)
        return code, said + more

    return start


def with_a_bit_changed(note, place):
    """The note whose last signature line has another bit: 0 to 3 are the key's id, then comes the signature."""
    text, _space, encoded = note.rstrip("\n").rpartition(" ")
    data = bytearray(b64decode(encoded))
    data[place] ^= 1
    return f"{text} {encode(bytes(data))}\n"


def test_checkpoint_says_who_signed_what(check):
    code, said = check(LOG.sign(TEXT), "--key", LOG.verifier)

    assert code == NOT_ALL_CHECKED
    assert "The log shop.example/log has 5 entries. Signed by: shop.example/log." in said


@pytest.mark.parametrize(
    ("place", "finding"),
    [
        (0, "no key of the log signed"),
        (3, "no key of the log signed"),
        (4, "is wrong"),
        (35, "is wrong"),
        (36, "is wrong"),
        (67, "is wrong"),
    ],
)
def test_note_whose_signature_line_was_changed_does_not_hold(check, place, finding):
    code, said = check(with_a_bit_changed(LOG.sign(TEXT), place), "--key", LOG.verifier)

    assert (code, finding in said) == (DOES_NOT_HOLD, True)


@pytest.mark.parametrize(
    ("note", "trusted"),
    [
        (STRANGER.sign(TEXT), LOG),
        (LOG.sign(TEXT).replace("\n5\n", "\n6\n"), LOG),
        (SigningKey("other.example/log", b"o" * 32).sign(TEXT), SigningKey("other.example/log", b"o" * 32)),
        (CosigningKey("shop.example/log", b"i" * 32).sign(TEXT), CosigningKey("shop.example/log", b"i" * 32)),
    ],
    ids=["another key", "another text", "the key of another log", "a witness of the log's name"],
)
def test_note_that_the_log_did_not_sign_does_not_hold(check, note, trusted):
    assert check(note, "--key", trusted.verifier)[0] == DOES_NOT_HOLD


def test_witness_that_is_asked_for_must_have_signed(check):
    note, trusted = LOG.sign(TEXT), ["--key", LOG.verifier, "--witness", WITNESS.verifier]

    code, said = check(note + WITNESS.line(TEXT), *trusted)
    assert (code, "witness.example (witness)" in said) == (NOT_ALL_CHECKED, True)
    for signed, asked, missing in (
        (note, trusted, "witness.example"),
        (note + OTHER_WITNESS.line(TEXT), trusted, "witness.example"),
        (note + CosigningKey("witness.example", b"x" * 32).line(TEXT), trusted, "witness.example"),
        (note + WITNESS.line(TEXT), [*trusted, "--witness", OTHER_WITNESS.verifier], "other.example"),
    ):
        code, said = check(signed, *asked)
        assert (code, f"the witness {missing} did not sign" in said) == (DOES_NOT_HOLD, True)


@pytest.mark.parametrize("place", [4, 11, 12, 75])
def test_witness_whose_moment_or_signature_was_changed_does_not_hold(check, place):
    note = with_a_bit_changed(LOG.sign(TEXT) + WITNESS.line(TEXT), place)

    code, said = check(note, "--key", LOG.verifier, "--witness", WITNESS.verifier)

    assert (code, "the signature of witness.example is wrong" in said) == (DOES_NOT_HOLD, True)


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("index 2", "index 02"),
        ("index 2", "index 002"),
        ("index 2", "index +2"),
        ("index 2", "index 2 "),
        ("index 2", "index 2\r"),
        ("index 2", "index \u0662"),
        ("index 2", "index 2\nindex 2"),
        ("index 2", "index 2\nextra AAAA"),
        ("index 2", "extra AAAA\nextra AAAA\nindex 2"),
        ("index 2", "extra \nindex 2"),
        ("index 2", "extra AAB=\nindex 2"),
        ("index 2", "extra AAAA AAAA\nindex 2"),
        ("proof@v1", "proof@v2"),
        ("c2sp.org", "c2spxorg"),
    ],
)
def test_proof_with_another_head_is_not_read(check, line, changed):
    assert check(LOG.sign(TEXT), "--key", LOG.verifier, head=HEAD.replace(line, changed, 1))[0] == UNREADABLE


def test_proof_with_something_extra_is_read(check):
    assert check(LOG.sign(TEXT), "--key", LOG.verifier, head=HEAD.replace("index 2", "extra AAAA\nindex 2"))[0] == NOT_ALL_CHECKED
