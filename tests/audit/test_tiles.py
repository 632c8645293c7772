from hashlib import sha256

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from audit import tiles
from audit.errors import CheckpointBroken
from audit.identifiers import uuid7
from audit.models import Leaf, Tile
from audit.tiles import FULL, FullTile, GrowingTiles
from audit.tree import HASH_SIZE, tree_root

pytestmark = [pytest.mark.promise("USE-3")]

worker_only = pytest.mark.usefixtures("worker")


def hashes_of(start, end):
    return [sha256(b"%d" % index).digest() for index in range(start, end)]


def store_leaves(start, end):
    """Leaves of entries that need not exist, and their tiles unless `with_tiles` is false."""
    Leaf.objects.bulk_create(
        Leaf(index=index, entry_id=uuid7(), commitment=sha256(b"%d" % index).digest(), key_id=None) for index in range(start, end)
    )
    return tiles.leaf_hashes(start, end)


def places(full):
    return [tile[:2] for tile in full]


def test_tiles_of_the_published_sizes():
    """C2SP: a log of 70,000 has 273 full tiles and one of 112; one full one above and one of 17; one of 1 above that."""
    full = GrowingTiles().extend(hashes_of(0, 70_000))

    assert len([tile for tile in full if tile.level == 0]) == 273
    assert [tile.number for tile in full if tile.level == 1] == [0]
    assert max(tile.level for tile in full) == 1
    assert places(GrowingTiles().extend(hashes_of(0, 256))) == [(0, 0)]


@given(st.lists(st.integers(0, 700), max_size=6))
def test_tiles_grown_in_any_portions_are_the_same(portions):
    hashes = hashes_of(0, sum(portions))
    growing, grown, start = GrowingTiles(), [], 0
    for portion in portions:
        grown += growing.extend(b"".join(hashes[start : start + portion]))
        start += portion

    assert grown == GrowingTiles().extend(hashes)
    for tile in grown:
        assert tile.root == tree_root(hashes[tile.number * 256 : tile.number * 256 + 256])
        assert len(tile.hashes) == FULL


@worker_only
def test_full_tiles_and_the_growing_ones_of_seventy_thousand_leaves():
    with transaction.atomic():
        data, start = b"", 0
        for end in (1, 255, 256, 257, 40_000, 65_536, 70_000):
            hashes = store_leaves(start, end)
            tiles.copy_tiles(tiles.growing_tiles(start).extend(hashes))
            data, start = data + hashes, end

    assert Tile.objects.filter(level=0).count() == 273
    assert Tile.objects.filter(level=1).count() == 1
    assert tiles.tile(0, 0) == data[:FULL]
    assert tiles.tile(0, 273, 112) == data[273 * FULL :]
    assert tiles.tile(0, 273, 113) is None
    assert tiles.tile(0, 274, 1) is None
    above = tiles.tile(1, 1, 17)
    assert above[:HASH_SIZE] == tree_root(split(data)[65_536 : 65_536 + 256])
    assert tiles.tile(1, 1, 18) is None
    assert tiles.tile(2, 0, 1) == tree_root(split(data)[:65_536])
    assert tiles.tile(2, 0, 2) is None
    assert tiles.tile(3, 0, 1) is None
    assert tiles.first_bad_tile(GrowingTiles().extend(data)) is None
    assert tiles.surplus_tile(70_000) is None


def split(data):
    return [data[place : place + HASH_SIZE] for place in range(0, len(data), HASH_SIZE)]


@worker_only
def test_a_tile_on_top_of_two_hundred_fifty_six_leaves():
    with transaction.atomic():
        data = store_leaves(0, 256)
        tiles.copy_tiles(GrowingTiles().extend(data))

    assert tiles.tile(1, 0, 1) == tree_root(split(data))
    assert tiles.tile(0, 1, 1) is None


@worker_only
def test_fill_tiles_goes_on_where_an_earlier_run_was_killed(monkeypatch, django_assert_num_queries):
    data = store_leaves(0, 1100)
    with transaction.atomic():
        tiles.copy_tiles(GrowingTiles().extend(data[: 300 * HASH_SIZE]))
    monkeypatch.setattr(tiles, "_FILL_AT_ONCE", 512)

    tiles.fill_tiles(1100)

    assert tiles.first_bad_tile(GrowingTiles().extend(data)) is None
    assert Tile.objects.count() == 4
    with django_assert_num_queries(1):
        tiles.fill_tiles(1100)


@worker_only
def test_what_stands_above_missing_tiles_stays_or_is_found_damaged(tamper):
    full = GrowingTiles().extend(store_leaves(0, 70_000))
    kept = [tile for tile in full if tile.level or tile.number < 200]
    with transaction.atomic():
        tiles.copy_tiles(kept)

    tiles.fill_tiles(70_000)

    assert tiles.first_bad_tile(full) is None
    tamper("DELETE FROM audit_tile WHERE level = 0 AND number >= 200; UPDATE audit_tile SET root = sha256(root) WHERE level = 1")
    with pytest.raises(CheckpointBroken, match="tile 0 of level 1 is damaged"):
        tiles.fill_tiles(70_000)


@worker_only
def test_entries_are_the_leaves_after_their_lengths():
    store_leaves(0, 300)

    bundle = tiles.entries(0)
    leaves = [bundle[place + 2 : place + 67] for place in range(0, len(bundle), 67)]

    assert len(leaves) == 256
    assert {bundle[place : place + 2] for place in range(0, len(bundle), 67)} == {b"\x00\x41"}
    assert b"".join(sha256(b"\x00" + leaf).digest() for leaf in leaves) == tiles.tile(0, 0)
    assert len(tiles.entries(1, 44)) == 44 * 67
    assert tiles.entries(1, 45) is None


@worker_only
def test_a_damaged_and_a_surplus_tile_are_found(tamper):
    with transaction.atomic():
        data = store_leaves(0, 600)
        tiles.copy_tiles(GrowingTiles().extend(data))
    expected = GrowingTiles().extend(data)

    for change in ("hashes = set_byte(hashes, 8191, get_byte(hashes, 8191) # 1)", "root = set_byte(root, 0, get_byte(root, 0) # 1)"):
        tamper(f"UPDATE audit_tile SET {change} WHERE number = 1")
        assert tiles.first_bad_tile(expected) == expected[1]
        tamper("UPDATE audit_tile SET hashes = %s, root = %s WHERE number = 1", expected[1].hashes, expected[1].root)
    assert tiles.first_bad_tile(expected) is None
    tamper("INSERT INTO audit_tile SELECT level, 2, hashes, root FROM audit_tile WHERE number = 1")
    assert tiles.surplus_tile(600) == (0, 2)
    tamper("UPDATE audit_tile SET level = 1, number = 0 WHERE number = 2")
    assert tiles.surplus_tile(600) == (1, 0)
    assert isinstance(expected[0], FullTile)
