"""Keeps USE-3 and USE-2: a person holds proofs of entries that anybody can check without us (C2SP tlog-proof).

A proof does not hold its entry. Beside it goes the opened entry: its content, and the key under which the leaf
commits to it. That is the log key of the person concerned, so an opened entry goes to this person, or, under a
purpose, into a bundle that staff make; whoever hands it out records that. The house's key, which opens the entries
that concern nobody, is never handed out: of those a proof shows that they are in the log, unread.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit import tree
from audit.checkpoints import cosigned_note, newest_checkpoint, sign_contents, verifier_keys
from audit.commitments import content_of, key_source
from audit.errors import InvalidProof, NotYetInTree
from audit.models import Entry, Leaf
from audit.notes import encode
from audit.tiles import HASH_SIZE, WIDTH, root_of, stored_tiles, tile

VERIFIER = Path(__file__).parent / "verifier" / "verify_log.py"

_PROOF_LINE = "c2sp.org/tlog-proof@v1"
_AT_ONCE = 500


def proof_of(entry_id: UUID) -> str:
    """The text of the `.tlog-proof` of an entry up to the newest checkpoint. Raises NotYetInTree."""
    leaf, newest = Leaf.objects.filter(entry_id=entry_id).first(), newest_checkpoint()
    if leaf is None or newest is None:
        raise NotYetInTree("the entry has no place in the tree yet")
    return next(_proofs([leaf.index], newest.size, cosigned_note(newest)))


def opened_entry(entry: Entry) -> bytes:
    """The JSON that goes beside the proof: with it anybody can rebuild the leaf. Raises NotYetInTree.

    Holds the log key of the person concerned: only for that person, or for staff under a purpose. The caller
    records that it was handed out.
    """
    leaf = Leaf.objects.filter(entry_id=entry.pk).first()
    if leaf is None:
        raise NotYetInTree("the entry has no place in the tree yet")
    return _opened(entry, leaf, key_source().known_keys({leaf.key_id} if leaf.key_id else set()))


def bundle(entries: Iterable[Entry], notes: Mapping[str, str] | None = None) -> bytes:
    """The zip that `write_bundle` writes."""
    file = BytesIO()
    write_bundle(file, entries, notes)
    return file.getvalue()


def write_bundle(file: IO[bytes], entries: Iterable[Entry], notes: Mapping[str, str] | None = None) -> int:
    """Write a zip with these entries opened, a proof of each, the checkpoint, the signed list of them, the verifier and how to use it.

    `notes` are texts of the caller to go with them, by file name. Returns how many entries wait for their place in
    the tree and were left out; the file says so too. Who may have it, and what has to be recorded: as with
    `opened_entry`. Constant queries for each 500 entries.
    """
    newest, waiting, places = newest_checkpoint(), 0, []
    size, note = (newest.size, cosigned_note(newest)) if newest else (0, "")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for some in _portions(entries):
            sealed = _sealed(some, size)
            waiting += len(some) - len(sealed)
            places += [leaf.index for _entry, leaf in sealed]
            _write_entries(archive, sealed, size, note)
        if note:
            archive.writestr("checkpoint", note)
            archive.writestr("contents", sign_contents(places, size))
        archive.writestr("keys.txt", "".join(f"{key}\n" for key in verifier_keys()))
        archive.write(VERIFIER, VERIFIER.name)
        archive.writestr("README.txt", _instructions(waiting))
        for name, text in (notes or {}).items():
            archive.writestr(name, text)
    return waiting


def consistency_proof(old_size: int, size: int) -> list[bytes]:
    """The hashes which show that the tree of `old_size` is a beginning of that of `size`, from the tiles."""
    part = TreePart(size)
    tree.consistency_proof(old_size, size, part.want)
    part.fetch()
    return tree.consistency_proof(old_size, size, part.root)


class TreePart:
    """The roots of subtrees of the tree of one size, from its tiles.

    `want` notes what will be asked for, `fetch` gets all of that at once, `root` answers.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._wanted: set[tuple[int, int]] = set()
        self._hashes: dict[tuple[int, int], bytes] = {}

    def want(self, start: int, end: int) -> bytes:
        self._wanted |= {(level, first // WIDTH) for level, first, _count in _complete_parts(start, end)}
        return b""

    def fetch(self) -> None:
        missing = self._wanted - self._hashes.keys()
        full = {place for place in missing if self._width(*place) == WIDTH}
        self._hashes |= {(stored.level, stored.number): stored.hashes for stored in stored_tiles(full)}
        for place in missing - self._hashes.keys():  # the growing tile of each level
            hashes = tile(*place, self._width(*place))
            if hashes is None:
                raise InvalidProof(f"tile {place} of the tree is missing")
            self._hashes[place] = hashes

    def root(self, start: int, end: int) -> bytes:
        *parts, root = [self._complete(*part) for part in _complete_parts(start, end)]
        for part in reversed(parts):
            root = tree.node_hash(part, root)
        return root

    def _width(self, level: int, number: int) -> int:
        return min(WIDTH, (self._size >> 8 * level) - number * WIDTH)

    def _complete(self, level: int, first: int, count: int) -> bytes:
        place = first % WIDTH * HASH_SIZE
        return root_of(self._hashes[level, first // WIDTH][place : place + count * HASH_SIZE])


def _complete_parts(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(level, first hash on it, number of hashes) of the complete subtrees from `start` up to `end`, largest first."""
    while start < end:
        height = (end - start).bit_length() - 1
        yield height // 8, start >> height // 8 * 8, 1 << height % 8
        start += 1 << height


def _proofs(indexes: Sequence[int], size: int, note: str) -> Iterator[str]:
    part = TreePart(size)
    for index in indexes:
        tree.inclusion_proof(index, size, part.want)
    part.fetch()
    for index in indexes:
        hashes = tree.inclusion_proof(index, size, part.root)
        lines = [_PROOF_LINE, f"index {index}", *(encode(each) for each in hashes)]
        yield "\n".join(lines) + f"\n\n{note}"


def _portions(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    rest = iter(entries)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


def _sealed(entries: Sequence[Entry], size: int) -> list[tuple[Entry, Leaf]]:
    """Those that are in the tree of this size, each with its leaf."""
    rows = Leaf.objects.filter(entry_id__in=[entry.pk for entry in entries], index__lt=size)
    leaves = {leaf.entry_id: leaf for leaf in rows}
    return [(entry, leaves[entry.pk]) for entry in entries if entry.pk in leaves]


def _write_entries(archive: zipfile.ZipFile, sealed: Sequence[tuple[Entry, Leaf]], size: int, note: str) -> None:
    known = key_source().known_keys({leaf.key_id for _entry, leaf in sealed if leaf.key_id})
    proofs = _proofs([leaf.index for _entry, leaf in sealed], size, note)
    for (entry, leaf), proof in zip(sealed, proofs, strict=True):
        archive.writestr(f"entries/{leaf.index}.json", _opened(entry, leaf, known))
        archive.writestr(f"entries/{leaf.index}.tlog-proof", proof)


def _opened(entry: Entry, leaf: Leaf, known: dict[UUID, bytes]) -> bytes:
    key = known.get(leaf.key_id) if leaf.key_id else None
    opened = {
        "content": json.loads(content_of(entry)),
        "commitment": encode(bytes(leaf.commitment)),
        "key_id": str(leaf.key_id or ""),
        "key": encode(key) if key else "",
    }
    return json.dumps(opened, ensure_ascii=False, indent=2).encode() + b"\n"


def _instructions(waiting: int) -> str:
    lines = [
        _("1. Install Python 3.9 or newer, and its package cryptography: pip install cryptography"),
        _("2. In the folder of this file, run: python verify_log.py bundle ."),
        _("3. Compare the keys in keys.txt with those that the shop published elsewhere, or that you noted earlier."),
        _("The file contents is signed and lists the entries that belong in here: the program tells when one was taken out or put in."),
        _(
            "One checkpoint, the newest of that moment, is enough: the proof of every entry leads to it, and the log of every earlier"
            " checkpoint is a beginning of its log. To check that of one you kept, get https://%(log)s/consistency/OLD-SIZE/NEW-SIZE and"
            " run: python verify_log.py consistency OLD NEW PROOF --key KEY"
        )
        % {"log": settings.AUDIT_ORIGIN},
    ]
    if waiting:
        lines.append(
            ngettext(
                "%(count)d entry is so new that it is not in here yet. Download again in a minute.",
                "%(count)d entries are so new that they are not in here yet. Download again in a minute.",
                waiting,
            )
            % {"count": waiting}
        )
    return "\n".join(lines) + "\n"
