"""Proofs over the published tree of eight entries, damaged in every way that the published vectors know (transparency-dev/merkle).

Read by the two who check proofs: the log itself, and the single file that strangers run.
"""

import runpy
from types import SimpleNamespace

import pytest

from audit.errors import InvalidProof
from audit.proofs import VERIFIER
from audit.tree import EMPTY_ROOT, consistency_proof, inclusion_proof, leaf_hash, subtree_roots_of, verify_consistency, verify_inclusion
from tests.audit.test_tree import ENTRIES, HASHES, ROOTS

pytestmark = pytest.mark.promise("USE-3")

PROGRAM = runpy.run_path(str(VERIFIER))
REFUSED = (InvalidProof, PROGRAM["Wrong"])
GARBAGE = bytes(range(32))
ROOT = {size: bytes.fromhex(root) for size, root in ROOTS.items()}


def checkpoint(size, root):
    return SimpleNamespace(origin="shop.example/log", size=size, root=root)


def inclusion_by_the_log(index, size, entry, root, proof):
    verify_inclusion(index, size, leaf_hash(entry), proof, root)


def inclusion_by_the_file(index, size, entry, root, proof):
    PROGRAM["check_inclusion"](index, entry, proof, checkpoint(size, root))


def consistency_by_the_log(old, new, old_root, root, proof):
    verify_consistency(old, new, old_root, root, proof)


def consistency_by_the_file(old, new, old_root, root, proof):
    PROGRAM["check_consistency"](checkpoint(old, old_root), checkpoint(new, root), proof)


def damaged_hashes(proof, *roots):
    """Proofs with something before, behind, between, changed or left out."""
    for other in (GARBAGE, *roots, *proof[:1]):
        yield [other, *proof]
        yield [*proof, other]
    for place in range(len(proof)):
        yield [*proof[:place], bytes([proof[place][0] ^ 0x10]) + proof[place][1:], *proof[place + 1 :]]
        yield [*proof[: place + 1], GARBAGE, *proof[place + 1 :]]
        yield proof[:place] + proof[place + 1 :]
        yield proof[:place]


def damaged_inclusions(index, size, entry, root, proof):
    for other in (index - 1, index + 1, index ^ 2):
        yield other, size, entry, root, proof
    for other in (size // 2, size * 2):
        yield index, other, entry, root, proof
    yield index, size, b"another entry", root, proof
    for other in (EMPTY_ROOT, GARBAGE):
        yield index, size, entry, other, proof
    for other in damaged_hashes(proof, root):
        yield index, size, entry, root, other


def damaged_consistencies(old, new, old_root, root, proof):
    for other in (old - 1, old + 1, old ^ 2):
        yield other, new, old_root, root, proof
    for other in (new // 2, new * 2):
        yield old, other, old_root, root, proof
    yield old, new, GARBAGE, root, proof
    yield old, new, old_root, GARBAGE, proof
    if old != new:
        yield old, new, root, old_root, proof
    for other in damaged_hashes(proof, old_root, root):
        yield old, new, old_root, root, other


@pytest.mark.parametrize("check", [inclusion_by_the_log, inclusion_by_the_file])
@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 8), (5, 8), (2, 3), (1, 5)])
def test_inclusion_proof_damaged_in_any_way_is_refused(check, index, size):
    proof = inclusion_proof(index, size, subtree_roots_of(HASHES))
    check(index, size, ENTRIES[index], ROOT[size], proof)

    for damaged in damaged_inclusions(index, size, ENTRIES[index], ROOT[size], proof):
        if check is inclusion_by_the_log or damaged[0] >= 0:  # the file reads no number below nothing
            with pytest.raises(REFUSED):
                check(*damaged)


@pytest.mark.parametrize("check", [consistency_by_the_log, consistency_by_the_file])
@pytest.mark.parametrize(("old", "new"), [(1, 1), (1, 8), (6, 8), (2, 5)])
def test_consistency_proof_damaged_in_any_way_is_refused(check, old, new):
    proof = consistency_proof(old, new, subtree_roots_of(HASHES))
    check(old, new, ROOT[old], ROOT[new], proof)

    for damaged in damaged_consistencies(old, new, ROOT[old], ROOT[new], proof):
        if check is consistency_by_the_log or not needs_no_proof(*damaged):
            with pytest.raises(REFUSED):
                check(*damaged)


def needs_no_proof(old, new, old_root, root, proof):
    """To the file every log begins with nothing and with itself, whatever else is said."""
    return old == 0 or (old, old_root) == (new, root)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (2, 1), (8, 6)])
def test_trees_that_prove_nothing_of_each_other_are_refused(old, new):
    for proof in ([], [GARBAGE]):
        with pytest.raises(REFUSED):
            consistency_by_the_log(old, new, ROOT[old], ROOT[new], proof)
