"""What the log shows to everybody, as a stranger's program asks for it."""

import re
from base64 import b64decode
from hashlib import sha256

import pytest
from django.test import Client
from django.urls import reverse

from audit import tiles
from audit.actions import integrate_entries
from audit.checkpoints import newest_checkpoint, verifier_keys
from audit.identifiers import uuid7
from audit.models import Cosignature, Entry
from audit.notes import CheckpointText, open_note
from audit.serving import tile_path
from audit.tree import tree_root, verify_consistency
from tests.audit.test_tiles import split

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.usefixtures("worker")]

FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture
def get():
    """A client without cookies that never gets one."""

    def ask(place, **headers):
        client = Client()
        response = client.get(f"/log/{place}", headers=headers, secure=True)
        assert not client.cookies, place
        assert not {"Vary", "Content-Encoding", "Set-Cookie"} & set(response.headers), place
        return response

    return ask


@pytest.fixture
def log_of_600(write):
    ids = []
    for count in (200, 400):
        ids += write(count, uuid7())
        integrate_entries()
    return ids


def test_checkpoint_is_the_newest_signed_note_with_its_cosignatures(get, log_of_600):
    Cosignature.objects.create(size=600, witness="w.example", line="\u2014 w.example AAAAAAA=\n")

    response = get("checkpoint")

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=5"
    text = CheckpointText.parse(open_note(response.content.decode(), verifier_keys()))
    assert (text.size, text.root) == (600, bytes(newest_checkpoint().root))
    assert response.content.decode().endswith("\n\u2014 w.example AAAAAAA=\n")


def test_log_that_has_nothing_yet_has_no_checkpoint_and_no_tile(get):
    assert {get(place).status_code for place in ("checkpoint", "tile/0/000", "tile/entries/000", "tile/0/000.p/1")} == {404}


def test_tiles_and_entries_lead_to_the_root(get, log_of_600):
    full = [get(tile_path(0, number)) for number in (0, 1)]
    rest, above = get(tile_path(0, 2, 88)), get(tile_path(1, 0, 2))
    bundles = [get(tile_path("entries", 0)), get(tile_path("entries", 1)), get(tile_path("entries", 2, 88))]

    for response in (*full, rest, above, *bundles):
        assert (response.status_code, response.headers["Content-Type"]) == (200, "application/octet-stream")
        assert response.headers["Cache-Control"] == FOREVER
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    data = b"".join(response.content for response in (*full, rest))
    assert tree_root(split(data)) == bytes(newest_checkpoint().root)
    assert above.content == b"".join(tree_root(split(tile.content)) for tile in full)
    leaves = re.findall(rb"\x00\x41(.{65})", b"".join(response.content for response in bundles), re.DOTALL)
    assert b"".join(sha256(b"\x00" + leaf).digest() for leaf in leaves) == data


def test_partial_tiles_of_earlier_checkpoints_stay(get, log_of_600):
    assert get(tile_path(0, 0, 200)).content == get(tile_path(0, 0)).content[: 200 * 32]
    assert get(tile_path("entries", 0, 200)).status_code == 200


NOT_THERE = [
    "tile/0/002",
    "tile/0/002.p/89",
    "tile/0/003.p/1",
    "tile/1/000",
    "tile/1/000.p/3",
    "tile/2/000.p/1",
    "tile/63/000.p/1",
    "tile/64/000.p/1",
    "tile/00/000",
    "tile/0/0",
    "tile/0/0000",
    "tile/0/x000/000",
    "tile/0/x001/000",
    "tile/0/000.p/0",
    "tile/0/000.p/08",
    "tile/0/000.p/256",
    "tile/0/000.p/",
    "tile/-1/000",
    "tile/0/٠٠٠",
    "tile/entries/002",
    "tile/entries/002.p/89",
    "tile/entries/x999/x999/x999/x999/999",
    "tile/x/000",
    "tile/",
    "consistency/0/600",
    "consistency/200/601",
    "consistency/300/200",
]


def test_what_is_not_there_is_not_found(get, log_of_600, subtests):
    for place in NOT_THERE:
        with subtests.test(place):
            response = get(place)
            assert response.status_code == 404
            assert response.headers["Cache-Control"] == "public, max-age=5"


def test_tile_paths_are_those_of_the_format():
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(3, 5) == "tile/3/005"
    assert tile_path("entries", 1000, 7) == "tile/entries/x001/000.p/7"


def test_known_files_are_answered_by_a_word(get, log_of_600):
    for place in ("checkpoint", "tile/0/000"):
        etag = get(place).headers["ETag"]
        again = get(place, if_none_match=etag)
        assert (again.status_code, again.content) == (304, b"")


def test_head_and_other_methods(log_of_600):
    assert Client().head("/log/tile/0/000", secure=True).status_code == 200
    assert Client().post("/log/checkpoint", secure=True).status_code == 405


def test_number_of_queries_is_small_whatever_is_asked(get, log_of_600, django_assert_max_num_queries):
    for place, queries in {
        "checkpoint": 2,
        "tile/0/000": 1,
        "tile/0/002.p/88": 2,
        "tile/1/000.p/2": 2,
        "tile/entries/001": 1,
        "tile/40/000": 2,
    }.items():
        with django_assert_max_num_queries(queries):
            get(place)
    with django_assert_max_num_queries(8):
        get("consistency/200/600")


def test_consistency_of_two_sizes(get, log_of_600):
    lines = get("consistency/200/600").content.decode().split()

    hashes = split(tiles.leaf_hashes(0, 600))
    verify_consistency(200, 600, tree_root(hashes[:200]), tree_root(hashes), [b64decode(line) for line in lines])


def test_nothing_served_says_anything_about_anybody(get, log_of_600, write):
    entry = Entry.objects.get(pk=log_of_600[0])
    served = b"".join(get(place).content for place in ("checkpoint", "tile/0/000", "tile/entries/000"))

    for value in (entry.subject_id, entry.actor_id, entry.object_id, entry.case_id, entry.request_id):
        if value is not None:
            assert value.bytes not in served
            assert str(value).encode() not in served
    assert entry.event.encode() not in served


def test_page_says_what_it_is_and_shows_checkpoint_keys_and_verifier(client, log_of_600):
    Cosignature.objects.create(size=600, witness="w.example", line="\u2014 w.example AAAAAAA=\n")

    page = client.get(reverse("audit:log"), secure=True).content.decode()

    assert "600 entries" in page
    assert str(verifier_keys()[0]) in page.replace("&#x27;", "'")
    assert "w.example" in page
    assert newest_checkpoint().note.split("\n")[2] in page
    program = client.get(reverse("audit:verifier"), secure=True)
    assert b"".join(program.streaming_content).startswith(b"#!/usr/bin/env python3")
    assert 'filename="verify_log.py"' in program.headers["Content-Disposition"]


def test_page_before_the_first_checkpoint(client):
    page = client.get(reverse("audit:log"), secure=True)

    assert page.status_code == 200
    assert "There is none yet" in page.content.decode()


@pytest.mark.parametrize(
    ("place", "asked"),
    [
        ("tile/0/x001/x234/067", ("tile", 0, 1_234_067, 256)),
        ("tile/3/x999/000.p/7", ("tile", 3, 999_000, 7)),
        ("tile/entries/x001/x234/067", ("entries", 1_234_067, 256)),
        ("tile/entries/x012/345.p/255", ("entries", 12_345, 255)),
    ],
)
def test_addresses_from_a_thousand_tiles_on_are_read_as_they_are_written(get, monkeypatch, place, asked):
    heard = []
    for name in ("tile", "entries"):
        monkeypatch.setattr(tiles, name, lambda *wanted, name=name: heard.append((name, *wanted)) or b"tile")

    assert get(place).content == b"tile"
    assert heard == [asked]
    *_kind, number, width = asked
    assert tile_path(asked[1] if asked[0] == "tile" else "entries", number, width) == place
