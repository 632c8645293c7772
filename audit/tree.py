"""Keeps USE-3: nothing in the log can change unnoticed, for it is the leaves of a Merkle tree (RFC 6962, RFC 9162)."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Self

from audit.errors import InvalidProof

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

# The root of the leaves from a start up to, not including, an end.
SubtreeRoot = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that can only grow: the roots of its complete subtrees, one for each bit set in its size.

    Holds a few hashes whatever the size. `to_bytes` and `from_bytes` carry it from run to run.
    """

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes | None] = []  # by height: the root of a subtree of 2**height leaves

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Self:
        """Read what `to_bytes` wrote; raises InvalidProof when it does not fit the size."""
        if len(data) != size.bit_count() * HASH_SIZE:
            raise InvalidProof(f"a frontier of {size} leaves has {size.bit_count()} hashes")
        frontier = cls()
        frontier.size = size
        position = len(data)
        for height in range(size.bit_length()):
            if size >> height & 1:
                frontier._peaks.append(data[position - HASH_SIZE : position])
                position -= HASH_SIZE
            else:
                frontier._peaks.append(None)
        return frontier

    @classmethod
    def of_levels(cls, size: int, levels: Sequence[Sequence[bytes]]) -> Self:
        """The tree whose unfinished tile of each level holds these hashes; each level above the first counts 256 below."""
        frontier = cls()
        for level, hashes in enumerate(levels):
            part = cls()
            part.extend(hashes)
            frontier._peaks += [None] * (8 * level - len(frontier._peaks)) + part._peaks
        frontier.size = size
        return frontier

    def to_bytes(self) -> bytes:
        """The roots of the complete subtrees, largest first."""
        return b"".join(peak for peak in reversed(self._peaks) if peak is not None)

    def extend(self, leaf_hashes: Iterable[bytes]) -> list[list[bytes]]:
        """Append leaves, pairing whole levels at once.

        Returns the roots of the subtrees that are complete now and were not before, by height: first the leaves.
        """
        completed: list[list[bytes]] = []
        nodes = list(leaf_hashes)
        self.size += len(nodes)
        while nodes:
            height = len(completed)
            completed.append(nodes)
            if height == len(self._peaks):
                self._peaks.append(None)
            if (peak := self._peaks[height]) is not None:
                nodes = [peak, *nodes]
            self._peaks[height] = nodes[-1] if len(nodes) % 2 else None
            # An odd one is left over at the end.
            nodes = [sha256(b"\x01" + left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=False)]
        return completed

    def root(self) -> bytes:
        root = None
        for peak in self._peaks:
            if peak is not None:
                root = peak if root is None else node_hash(peak, root)
        return EMPTY_ROOT if root is None else root


def tree_root(leaf_hashes: Iterable[bytes]) -> bytes:
    frontier = Frontier()
    frontier.extend(leaf_hashes)
    return frontier.root()


def subtree_roots_of(leaf_hashes: Sequence[bytes]) -> SubtreeRoot:
    """Subtree roots computed from hashes in memory."""
    return lambda start, end: tree_root(leaf_hashes[start:end])


def inclusion_proof(index: int, size: int, subtree_root: SubtreeRoot) -> list[bytes]:
    """The hashes beside the path from a leaf to the root, the leaf's sibling first (RFC 9162 2.1.3.1)."""
    if not 0 <= index < size:
        raise InvalidProof(f"no leaf {index} in a tree of {size}")
    path: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _largest_power_below(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return [subtree_root(*span) for span in reversed(path)]


def consistency_proof(old_size: int, size: int, subtree_root: SubtreeRoot) -> list[bytes]:
    """The hashes that show the old tree to be a beginning of the new one (RFC 9162 2.1.4.1)."""
    if not 0 < old_size <= size:
        raise InvalidProof(f"no tree of {old_size} within a tree of {size}")
    path: list[tuple[int, int]] = []
    start, end = 0, size
    while old_size != end:
        middle = start + _largest_power_below(end - start)
        if old_size <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    if start > 0:
        path.append((start, end))
    return [subtree_root(*span) for span in reversed(path)]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise InvalidProof unless the proof leads from the leaf hash to the root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        raise InvalidProof(f"no leaf {index} in a tree of {size}")
    position, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise InvalidProof("the proof is too long")
        if position & 1 or position == last:
            computed = node_hash(sibling, computed)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        position, last = position >> 1, last >> 1
    if last != 0 or computed != root:
        raise InvalidProof("the proof does not lead to the root")


def verify_consistency(old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> None:
    """Raise InvalidProof unless the proof shows the old tree to be a beginning of the new (RFC 9162 2.1.4.2)."""
    if not 0 < old_size <= size:
        raise InvalidProof(f"no tree of {old_size} within a tree of {size}")
    if old_size == size:
        if proof or old_root != root:
            raise InvalidProof("two trees of one size have different roots")
        return
    hashes = list(proof)
    if old_size & (old_size - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise InvalidProof("the proof is empty")
    _walk_consistency(old_size - 1, size - 1, hashes, old_root, root)


def _walk_consistency(position: int, last: int, hashes: Sequence[bytes], old_root: bytes, root: bytes) -> None:
    while position & 1:
        position, last = position >> 1, last >> 1
    old_computed = computed = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise InvalidProof("the proof is too long")
        if position & 1 or position == last:
            old_computed, computed = node_hash(sibling, old_computed), node_hash(sibling, computed)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        position, last = position >> 1, last >> 1
    if last != 0 or old_computed != old_root or computed != root:
        raise InvalidProof("the proof does not connect the two roots")


def _largest_power_below(count: int) -> int:
    """The largest power of two smaller than a count above one (RFC 6962 2.1: k < n <= 2k)."""
    return 1 << (count - 1).bit_length() - 1
