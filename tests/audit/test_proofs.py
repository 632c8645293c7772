import json
import zipfile
from base64 import b64decode
from io import BytesIO
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import proofs, tree
from audit.actions import integrate_entries
from audit.checkpoints import verifier_keys
from audit.errors import InvalidProof, NotYetInTree
from audit.identifiers import uuid7
from audit.models import Checkpoint, Entry, Leaf
from audit.notes import CheckpointText, open_note
from audit.proofs import TreePart, bundle, consistency_proof, opened_entry, proof_of
from audit.tiles import GrowingTiles, leaf_hashes
from tests.audit.conftest import KeysInMemory
from tests.audit.test_tiles import hashes_of, split

pytestmark = pytest.mark.promise("USE-3")

worker_only = pytest.mark.usefixtures("worker")


class PartInMemory(TreePart):
    """The same from hashes in memory, as tiles would hold them."""

    def __init__(self, hashes):
        super().__init__(len(hashes))
        growing = GrowingTiles()
        self._hashes = {tile[:2]: tile.hashes for tile in growing.extend(hashes)}
        self._hashes |= {(level, len(hashes) // 256 ** (level + 1)): rest for level, rest in enumerate(growing._pending)}


HASHES = hashes_of(0, 66_000)


@given(st.integers(1, len(HASHES)), st.data())
@settings(deadline=None, max_examples=60)
def test_proofs_from_tiles_are_those_of_the_whole_tree(size, data):
    index, old_size = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    part = PartInMemory(HASHES[:size])
    root = part.root(0, size)

    tree.verify_inclusion(index, size, HASHES[index], tree.inclusion_proof(index, size, part.root), root)
    old_root = part.root(0, old_size)
    tree.verify_consistency(old_size, size, old_root, root, tree.consistency_proof(old_size, size, part.root))


def test_root_from_tiles_is_that_of_the_tree():
    for size in (1, 2, 3, 255, 256, 257, 511, 512, 65_536, 66_000):
        assert PartInMemory(HASHES[:size]).root(0, size) == tree.tree_root(HASHES[:size])


def read(proof):
    head, _, note = proof.partition("\n\n")
    first, index, *hashes = head.split("\n")
    assert first == "c2sp.org/tlog-proof@v1"
    return int(index.removeprefix("index ")), [b64decode(each) for each in hashes], CheckpointText.parse(open_note(note, verifier_keys()))


@worker_only
def test_proof_of_leads_from_each_entry_to_the_newest_checkpoint(write):
    ids = []
    for _ in range(3):
        ids += write(120, uuid7())
        integrate_entries()

    hashes = split(leaf_hashes(0, 360))
    for place in (0, 119, 120, 255, 256, 359):
        index, path, text = read(proof_of(ids[place]))
        assert (index, text.size) == (place, 360)
        tree.verify_inclusion(index, text.size, hashes[index], path, text.root)


@worker_only
def test_proof_of_an_entry_that_waits_is_refused(write):
    (entry_id,) = write(1, uuid7())

    with pytest.raises(NotYetInTree):
        proof_of(entry_id)
    with pytest.raises(NotYetInTree):
        opened_entry(Entry.objects.get(pk=entry_id))


@worker_only
def test_opened_entry_holds_the_content_and_the_key_of_its_person_alone(write, keys: KeysInMemory):
    subject, other = uuid7(), uuid7()
    entry_id, _ = *write(1, subject), *write(1, other)
    integrate_entries()

    opened = json.loads(opened_entry(Entry.objects.get(pk=entry_id)))

    key_id, key = keys.of_subject[subject]
    assert (UUID(opened["key_id"]), b64decode(opened["key"])) == (key_id, key)
    assert opened["content"]["subject_id"] == str(subject)
    assert set(opened) == {"content", "commitment", "key", "key_id"}


@worker_only
def test_the_key_of_the_house_and_a_destroyed_one_are_never_in_an_opened_entry(write, keys: KeysInMemory):
    subject = uuid7()
    ids = [*write(1), *write(1, subject)]
    integrate_entries()
    keys.erase(subject)

    opened = [json.loads(opened_entry(Entry.objects.get(pk=entry_id))) for entry_id in ids]

    assert [each["key"] for each in opened] == ["", ""]
    assert [bool(each["key_id"]) for each in opened] == [False, True]


@worker_only
def test_bundle_has_everything_that_a_stranger_needs(write):
    ids = write(3, uuid7())
    integrate_entries()
    late = write(2, uuid7())

    archive = zipfile.ZipFile(BytesIO(bundle(Entry.objects.filter(pk__in=ids + late).order_by("pk"))))

    members = {f"entries/{index}{ending}" for index in range(3) for ending in (".json", ".tlog-proof")}
    assert set(archive.namelist()) == members | {"checkpoint", "contents", "keys.txt", "verify_log.py", "README.txt"}
    assert archive.read("checkpoint").decode() == Checkpoint.objects.get().note
    assert archive.read("verify_log.py") == proofs.VERIFIER.read_bytes()
    readme = archive.read("README.txt").decode().splitlines()
    assert len(readme) == 6
    assert readme[5].startswith("2 entries are so new")


@worker_only
def test_bundle_leaves_out_what_was_sealed_after_its_checkpoint(write, monkeypatch):
    """The integration goes on while a long bundle is written."""
    write(2, uuid7())
    integrate_entries()
    earlier = Checkpoint.objects.get()
    write(3, uuid7())
    integrate_entries()
    monkeypatch.setattr(proofs, "newest_checkpoint", lambda: earlier)

    file = BytesIO()
    waiting = proofs.write_bundle(file, Entry.objects.all())

    names = zipfile.ZipFile(file).namelist()
    assert waiting == 3
    assert sorted(name for name in names if name.endswith(".tlog-proof")) == ["entries/0.tlog-proof", "entries/1.tlog-proof"]


@worker_only
def test_bundle_of_a_log_that_has_no_checkpoint_yet(write):
    write(2)

    archive = zipfile.ZipFile(BytesIO(bundle(Entry.objects.all())))

    assert set(archive.namelist()) == {"keys.txt", "verify_log.py", "README.txt"}


@worker_only
def test_bundle_asks_the_database_as_often_for_four_hundred_entries_as_for_four(write, django_assert_max_num_queries):
    ids = write(700, uuid7())
    integrate_entries()

    for count in (4, 400):
        with django_assert_max_num_queries(9):
            bundle(Entry.objects.filter(pk__in=ids[:count]))


@worker_only
def test_consistency_proof_connects_every_two_checkpoints(write):
    for count in (1, 3, 260, 40):
        write(count)
        integrate_entries()
    checkpoints = list(Checkpoint.objects.order_by("size"))

    for old in checkpoints:
        for new in checkpoints:
            if old.size <= new.size:
                proof = consistency_proof(old.size, new.size)
                tree.verify_consistency(old.size, new.size, bytes(old.root), bytes(new.root), proof)


@worker_only
def test_proof_where_a_tile_was_taken_out_is_refused(write, tamper):
    ids = write(600)
    integrate_entries()
    tamper("DELETE FROM audit_tile WHERE number = 0")
    tamper("DELETE FROM audit_leaf WHERE index = 5")

    with pytest.raises(InvalidProof):
        proof_of(ids[300])
    assert Leaf.objects.count() == 599
