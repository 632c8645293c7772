import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from audit.errors import InvalidProof
from audit.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    subtree_roots_of,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

pytestmark = pytest.mark.promise("USE-3")

ENTRIES = [
    bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
HASHES = [leaf_hash(entry) for entry in ENTRIES]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}

entry_lists = st.lists(st.binary(max_size=20), min_size=1, max_size=70)


def as_hex(hashes):
    return [digest.hex() for digest in hashes]


def test_leaf_hash_published_vector():
    assert leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"


@pytest.mark.parametrize(("size", "root"), ROOTS.items())
def test_tree_root_published_vectors(size, root):
    assert tree_root(HASHES[:size]).hex() == root


def test_tree_root_of_nothing_is_the_hash_of_nothing():
    assert tree_root([]) == EMPTY_ROOT


@pytest.mark.parametrize(("place", "proof"), INCLUSION.items())
def test_inclusion_proof_published_vectors(place, proof):
    index, size = place

    assert as_hex(inclusion_proof(index, size, subtree_roots_of(HASHES))) == proof


@pytest.mark.parametrize(("sizes", "proof"), CONSISTENCY.items())
def test_consistency_proof_published_vectors(sizes, proof):
    assert as_hex(consistency_proof(*sizes, subtree_roots_of(HASHES))) == proof


@given(entry_lists, st.data())
def test_tree_root_equals_an_independent_implementation(entries, data):
    oracle = InmemoryTree(algorithm="sha256")
    for entry in entries:
        oracle.append_entry(entry)
    size = data.draw(st.integers(1, len(entries)))

    assert tree_root(map(leaf_hash, entries[:size])) == oracle.get_root(size)


@given(entry_lists, st.data())
def test_inclusion_proof_equals_an_independent_implementation(entries, data):
    oracle = InmemoryTree(algorithm="sha256")
    for entry in entries:
        oracle.append_entry(entry)
    index = data.draw(st.integers(0, len(entries) - 1))

    proof = inclusion_proof(index, len(entries), subtree_roots_of([leaf_hash(entry) for entry in entries]))

    path = oracle.prove_inclusion(index + 1, len(entries)).path  # begins with the leaf itself
    assert sorted(proof) == sorted(path[1:])
    verify_inclusion(index, len(entries), leaf_hash(entries[index]), proof, oracle.get_root(len(entries)))


@given(entry_lists, st.data())
def test_frontier_appended_in_any_portions_has_the_root_of_the_whole(entries, data):
    hashes = [leaf_hash(entry) for entry in entries]
    frontier = Frontier()
    while frontier.size < len(hashes):
        portion = data.draw(st.integers(1, len(hashes) - frontier.size))
        frontier.extend(hashes[frontier.size : frontier.size + portion])
        frontier = Frontier.from_bytes(frontier.size, frontier.to_bytes())

        assert frontier.root() == tree_root(hashes[: frontier.size])


def test_frontier_of_the_wrong_length_is_refused():
    with pytest.raises(InvalidProof):
        Frontier.from_bytes(3, bytes(32))


@given(entry_lists, st.data())
def test_consistency_proof_connects_any_two_sizes_and_no_other_roots(entries, data):
    hashes = [leaf_hash(entry) for entry in entries]
    size = len(hashes)
    old_size = data.draw(st.integers(1, size))
    old_root, root = tree_root(hashes[:old_size]), tree_root(hashes)
    proof = consistency_proof(old_size, size, subtree_roots_of(hashes))

    verify_consistency(old_size, size, old_root, root, proof)
    for wrong in ((old_root, bytes(32)), (bytes(32), root)):
        with pytest.raises(InvalidProof):
            verify_consistency(old_size, size, *wrong, proof)


@given(entry_lists, st.data())
def test_verify_inclusion_refuses_any_changed_byte_or_length(entries, data):
    hashes = [leaf_hash(entry) for entry in entries]
    size, index = len(hashes), data.draw(st.integers(0, len(hashes) - 1))
    root, proof = tree_root(hashes), inclusion_proof(index, size, subtree_roots_of(hashes))
    position = data.draw(st.integers(0, 32 * len(proof) - 1)) if proof else None

    spoiled = [[*proof, bytes(32)]]
    if position is not None:
        changed = bytearray(b"".join(proof))
        changed[position] ^= 1
        spoiled += [proof[:-1], [bytes(changed[start : start + 32]) for start in range(0, len(changed), 32)]]

    for bad in spoiled:
        with pytest.raises(InvalidProof):
            verify_inclusion(index, size, hashes[index], bad, root)


@pytest.mark.parametrize(("index", "size"), [(-1, 8), (8, 8), (0, 0)])
def test_inclusion_outside_the_tree_is_refused(index, size):
    with pytest.raises(InvalidProof):
        inclusion_proof(index, size, subtree_roots_of(HASHES))
    with pytest.raises(InvalidProof):
        verify_inclusion(index, size, HASHES[0], [], bytes.fromhex(ROOTS[8]))


@pytest.mark.parametrize(("old_size", "size"), [(0, 8), (9, 8)])
def test_consistency_outside_the_tree_is_refused(old_size, size):
    with pytest.raises(InvalidProof):
        consistency_proof(old_size, size, subtree_roots_of(HASHES))
    with pytest.raises(InvalidProof):
        verify_consistency(old_size, size, bytes(32), bytes(32), [])
