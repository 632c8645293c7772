"""Keeps USE-3: the tree is kept in tiles, so that anybody can fetch any part of it and check it (C2SP tlog-tiles).

Tile n of level l holds 256 hashes: of level 0 the leaf hashes from n*256 on, of each level above the roots of 256
full tiles below. Full tiles are rows, added once; the tile still growing on each level is computed when asked for.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from io import BytesIO
from struct import Struct
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Max, Q

from audit.commitments import leaf_bytes
from audit.errors import CheckpointBroken
from audit.models import Leaf, Tile
from audit.tree import HASH_SIZE, Frontier, leaf_hash

WIDTH = 256
FULL = WIDTH * HASH_SIZE
_HEIGHT = 8  # of the complete subtree over one tile
HIGHEST_LEVEL = 63  # by C2SP; no log reaches it

_FILL_AT_ONCE = 256 * WIDTH
_FROM_BEFORE = """
SELECT (SELECT signed_at FROM audit_checkpoint ORDER BY size DESC LIMIT 1)
     < (SELECT applied FROM django_migrations WHERE app = 'audit' AND name = '0003_tiles')
"""
_LOCK = 0x41554449_54494C45  # "AUDI" "TILE": one filling at a time


# PostgreSQL's binary COPY: a header, rows of fields that each follow their length, an end.
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"
_ROW = Struct("!hihiqi").pack
_ROOT_LENGTH = HASH_SIZE.to_bytes(4, "big")


class FullTile(NamedTuple):
    """A tile as it is stored."""

    level: int
    number: int
    hashes: bytes
    root: bytes


class GrowingTiles:
    """The unfinished tile of each level; gives the tiles that become full as the tree grows.

    Starts with an empty tree, or as `growing_tiles` found the stored one.
    """

    def __init__(self, size: int = 0, pending: Sequence[bytes] = ()) -> None:
        self._pending = list(pending)
        self.frontier = Frontier.of_levels(size, [split_hashes(hashes) for hashes in pending])

    @property
    def size(self) -> int:
        return self.frontier.size

    def extend(self, hashes: Sequence[bytes] | bytes) -> list[FullTile]:
        """Append leaf hashes, as a sequence or end to end, and return the tiles that became full, on every level."""
        leaves = split_hashes(hashes) if isinstance(hashes, bytes) else hashes
        size, full = self.size, []
        levels = self.frontier.extend(leaves)[::_HEIGHT]
        for level, (nodes, roots) in enumerate(zip(levels, [*levels[1:], []], strict=False)):
            if level == len(self._pending):
                self._pending.append(b"")
            data = self._pending[level] + b"".join(nodes)
            size //= WIDTH if level else 1
            for place, root in enumerate(roots):
                full.append(FullTile(level, size // WIDTH + place, data[place * FULL : (place + 1) * FULL], root))
            self._pending[level] = data[len(roots) * FULL :]
        return full


def split_hashes(hashes: bytes) -> list[bytes]:
    return [hashes[start : start + HASH_SIZE] for start in range(0, len(hashes), HASH_SIZE)]


def root_of(hashes: bytes) -> bytes:
    """The root of the complete subtree over these hashes, a power of two of them, end to end."""
    while len(hashes) > HASH_SIZE:
        hashes = b"".join([sha256(b"\x01" + hashes[start : start + 64]).digest() for start in range(0, len(hashes), 64)])
    return hashes


def first_missing(size: int) -> int | None:
    """From which leaf on the full tiles of the first `size` leaves are not stored; None where all are."""
    stored = stored_size()
    return stored if stored < size - size % WIDTH else None


def fill_tiles(size: int) -> None:
    """Store the tiles of the first `size` leaves that are missing at the end.

    Outside of a transaction: it commits as it goes and, when killed, goes on from there. One query when there is
    nothing to do. Raises CheckpointBroken where leaves are missing, too, or a tile that is stored is another.
    """
    while first_missing(size) is not None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            start = stored_size()
            end = min(start + _FILL_AT_ONCE, size - size % WIDTH)
            if start < end:
                copy_tiles(_without_stored(_made_anew(start, end)))


def _made_anew(start: int, end: int) -> list[FullTile]:
    tree = growing_tiles(start)
    full = tree.extend(leaf_hashes(start, end))
    if tree.size != end:
        raise CheckpointBroken(f"leaves from {start} on are missing, and their tiles with them")
    return full


def _without_stored(tiles: list[FullTile]) -> list[FullTile]:
    """Those of a higher level may have stayed while the ones below them went."""
    stored = {tile[:2]: tile for tile in stored_tiles(tile[:2] for tile in tiles)}
    differing = next((tile for tile in tiles if stored.get(tile[:2], tile) != tile), None)
    if differing:
        raise CheckpointBroken(f"tile {differing.number} of level {differing.level} is damaged")
    return [tile for tile in tiles if tile[:2] not in stored]


def is_from_before_tiles() -> bool:
    """Whether the newest checkpoint was signed by a version that stored no tiles: since then each is signed with its own."""
    with connection.cursor() as cursor:
        cursor.execute(_FROM_BEFORE)
        return bool(cursor.fetchone()[0])


def stored_size() -> int:
    """How many leaves the full tiles of the lowest level cover."""
    newest = Tile.objects.filter(level=0).aggregate(newest=Max("number"))["newest"]
    return 0 if newest is None else (newest + 1) * WIDTH


def growing_tiles(size: int) -> GrowingTiles:
    """The unfinished tiles of a tree of this size, from what is stored."""
    pending, level, count = [], 0, size
    while count:
        pending.append(_stored_hashes(level, count - count % WIDTH, count))
        level, count = level + 1, count // WIDTH
    return GrowingTiles(size, pending)


def tile(level: int, number: int, width: int = WIDTH) -> bytes | None:
    """The first `width` hashes of a tile, or None where the tree does not reach so far. At most two queries."""
    hashes = Tile.objects.filter(level=level, number=number).values_list("hashes", flat=True).first()
    if hashes is None:
        hashes = _stored_hashes(level, number * WIDTH, number * WIDTH + width)
    wanted = bytes(hashes)[: width * HASH_SIZE]
    return wanted if len(wanted) == width * HASH_SIZE else None


def entries(number: int, width: int = WIDTH) -> bytes | None:
    """The first `width` leaves of an entry bundle, each after its length, or None where the log is shorter."""
    rows = _leaf_rows(number * WIDTH, number * WIDTH + width)
    if len(rows) != width:
        return None
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in rows)


def leaf_hashes(start: int, end: int) -> bytes:
    """The hashes of the leaves from `start` up to, not including, `end`, end to end."""
    return b"".join([leaf_hash(leaf) for leaf in _leaf_rows(start, end)])


def first_bad_tile(tiles: Iterable[FullTile]) -> FullTile | None:
    """The first of these tiles that is not stored exactly so. One query."""
    wanted = list(tiles)
    if not wanted:
        return None
    stored = {tile[:2]: tile for tile in stored_tiles(tile[:2] for tile in wanted)}
    return next((tile for tile in wanted if stored.get(tile[:2]) != tile), None)


def surplus_tile(size: int) -> tuple[int, int] | None:
    """Level and number of a stored tile that a tree of this size does not have."""
    beyond, level = Q(level__gt=HIGHEST_LEVEL) | Q(level__lt=0) | Q(number__lt=0), 0
    while size:
        size //= WIDTH
        beyond |= Q(level=level, number__gte=size)
        level += 1
    beyond |= Q(level__gte=level)
    return Tile.objects.filter(beyond).order_by("level", "number").values_list("level", "number").first()


def stored_tiles(places: Iterable[tuple[int, int]]) -> list[FullTile]:
    """The full tiles at these (level, number), as far as they are stored. One query."""
    by_level: dict[int, list[int]] = {}
    for level, number in places:
        by_level.setdefault(level, []).append(number)
    anywhere = Q(level__in=())
    for level, numbers in by_level.items():
        anywhere |= Q(level=level, number__in=numbers)
    rows = Tile.objects.filter(anywhere).values_list("level", "number", "hashes", "root")
    return [FullTile(level, number, bytes(hashes), bytes(root)) for level, number, hashes, root in rows]


def _stored_hashes(level: int, start: int, end: int) -> bytes:
    """Hashes of a level from what lies below it: leaves, or the roots of full tiles. They end at the first gap."""
    if level == 0:
        return leaf_hashes(start, end)
    rows = Tile.objects.filter(level=level - 1, number__gte=start, number__lt=end).order_by("number").values_list("number", "root")
    return b"".join([bytes(root) for place, (number, root) in enumerate(rows, start) if number == place])


def _leaf_rows(start: int, end: int) -> list[bytes]:
    rows = Leaf.objects.filter(index__gte=start, index__lt=end).order_by("index").values_list("entry_id", "key_id", "commitment")
    return [leaf_bytes(entry_id.bytes, key_id.bytes if key_id else None, bytes(committed)) for entry_id, key_id, committed in rows]


def copy_tiles(tiles: Iterable[FullTile]) -> None:
    rows = [_ROW(4, 2, tile.level, 8, tile.number, FULL) + tile.hashes + _ROOT_LENGTH + tile.root for tile in tiles]
    with connection.cursor() as cursor, connection.wrap_database_errors:
        file = BytesIO(b"".join([COPY_HEAD, *rows, COPY_END]))
        cursor.copy_expert("COPY audit_tile (level, number, hashes, root) FROM STDIN WITH (FORMAT binary)", file)
