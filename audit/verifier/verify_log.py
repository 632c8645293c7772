#!/usr/bin/env python3
"""Checks what the shop's log says, on your own computer and without the shop.

    verify_log.py bundle FOLDER_OR_ZIP                      every entry of a download, and that none was taken out or put in
    verify_log.py entry ENTRY.json ENTRY.tlog-proof         one entry
    verify_log.py checkpoint FILE                           who signed a checkpoint
    verify_log.py consistency OLD NEW PROOF                 that the log only grew between two checkpoints

Options: --key KEY_OR_FILE      a key of the log that you trust (several: repeat it, or a file, one a line)
         --witness KEY_OR_FILE  a key of a witness that must have signed the checkpoint, too

Without --key the keys that came with the download are used: then everything fits together, but only a key that you
have from elsewhere shows that it is the shop's log. Needs Python 3.9 or newer and `pip install cryptography`.

Ends with 0 when everything holds, 1 when something does not, 2 when a file or the command cannot be read or
that package is missing, and 3 when nothing is wrong, but not everything could be checked.

The formats are public: https://c2sp.org (signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof), RFC 6962, RFC 8785.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import re
import sys
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    print("This program needs the package cryptography: pip install cryptography", file=sys.stderr)
    sys.exit(2)

LARGEST_FILE = 1_000_000
ED25519, COSIGNATURE = b"\x01", b"\x04"
LISTS = ("contents", "checkpoint")  # of a download: what belongs in it, and up to where
NUMBER = re.compile("0|[1-9][0-9]{0,18}")
PROOF = re.compile(f"c2sp\\.org/tlog-proof@v1\n(?:extra ([^\n]+)\n)?index ({NUMBER.pattern})((?:\n[^\n]+)*)")


class Wrong(Exception):  # something does not hold
    pass


class Unusable(Exception):  # a file or an argument cannot be read
    pass


# Keys and signatures. A key is name+id+base64(type and key); a signature line is "— name base64(id and signature)".


class Key:
    def __init__(self, line: str) -> None:
        self.name, key_id, encoded = [*line.split("+", 2), "", ""][:3]
        data = decode(encoded)
        self.type, self.public = data[:1], data[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n" + data).digest()[:4]
        if self.type not in (ED25519, COSIGNATURE) or len(self.public) != 32 or self.id.hex() != key_id:
            raise Unusable(f"not a key: {line[:80]}")

    def named(self, name: str) -> Key:
        data = self.type + self.public
        key_id = hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8]
        return Key(f"{name}+{key_id}+{base64.b64encode(data).decode()}")

    def check(self, text: str, signature: bytes) -> None:
        message = text.encode()
        if self.type == COSIGNATURE:
            if len(signature) != 72:
                raise Wrong(f"the signature of {self.name} is malformed")
            message = f"cosignature/v1\ntime {int.from_bytes(signature[:8], 'big')}\n".encode() + message
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            raise Wrong(f"the signature of {self.name} is wrong") from None


class Note:
    """A signed text, whose first line is its name: a key of this name must have signed it."""

    def __init__(self, note: str) -> None:
        body, gap, signatures = note.rpartition("\n\n")
        if not gap or not signatures.endswith("\n"):
            raise Unusable("not a signed note")
        self.text = body + "\n"
        self.name, *self.said = body.split("\n")
        self.lines = [signature_line(line) for line in signatures[:-1].split("\n")]

    def signed_by(self, keys: list[Key]) -> list[Key]:
        signed = []
        for key in keys:
            for name, key_id, signature in self.lines:
                if (name, key_id) == (key.name, key.id):
                    key.check(self.text, signature)
                    signed.append(key)
        if not any((key.name, key.type) == (self.name, ED25519) for key in signed):
            raise Wrong(f"no key of the log signed it: {self.name}")
        return signed


class Contents(Note):
    """A signed statement: so many entries are in this download, up to a checkpoint of this size, at these places."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        if len(self.said) < 2 or not all(map(NUMBER.fullmatch, self.said)) or int(self.said[0]) != len(self.said) - 2:
            raise Unusable("not a list of contents")
        self.size, self.places = int(self.said[1]), self.said[2:]


class Checkpoint(Note):
    """A signed statement: the log of this name has so many entries, and this is the root of its tree."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        if len(self.said) < 2 or not NUMBER.fullmatch(self.said[0]):
            raise Unusable("not a checkpoint")
        self.origin, self.size, self.root = self.name, int(self.said[0]), decode(self.said[1])

    def check(self, keys: list[Key], witnesses: list[Key]) -> list[str]:
        """Who signed, of the keys given. At least one key of the log and every witness must have."""
        signed = self.signed_by(keys + witnesses)
        for witness in witnesses:
            if witness not in signed:
                raise Wrong(f"the witness {witness.name} did not sign the checkpoint")
        return [key.name + (" (witness)" if key.type == COSIGNATURE else "") for key in signed]


def signature_line(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014":
        raise Unusable("not a signature line")
    data = decode(parts[2])
    return parts[1], data[:4], data[4:]


def decode(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Unusable(f"not base64: {text[:80]}") from None
    if base64.b64encode(data).decode() != text:
        raise Unusable(f"not base64: {text[:80]}")
    return data


# The tree (RFC 6962). A proof is the hashes that stand beside the path from a leaf to the root.


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def steps(position: int, last: int, hashes: list[bytes]) -> Iterator[tuple[bool, bytes]]:
    """The hashes on the way up, each with whether it stands on the left (RFC 9162 2.1.3.2)."""
    for sibling in hashes:
        if last == 0:
            raise Wrong("the proof is too long")
        is_left = bool(position & 1) or position == last
        yield is_left, sibling
        while is_left and not position & 1 and position:
            position, last = position >> 1, last >> 1
        position, last = position >> 1, last >> 1
    if last != 0:
        raise Wrong("the proof is too short")


def check_inclusion(index: int, leaf: bytes, hashes: list[bytes], checkpoint: Checkpoint) -> None:
    if index >= checkpoint.size:
        raise Wrong(f"the log of the checkpoint has no entry {index}")
    root = hashlib.sha256(b"\x00" + leaf).digest()
    for is_left, sibling in steps(index, checkpoint.size - 1, hashes):
        root = node_hash(sibling, root) if is_left else node_hash(root, sibling)
    if root != checkpoint.root:
        raise Wrong("it is not in the log: the proof does not lead to the signed root")


def check_consistency(old: Checkpoint, new: Checkpoint, hashes: list[bytes]) -> None:
    if old.origin != new.origin:
        raise Wrong("the checkpoints are of two different logs")
    if old.size > new.size:
        raise Wrong(f"the log shrank from {old.size} entries to {new.size}")
    if old.size == new.size and old.root != new.root:
        raise Wrong(f"two different logs of {old.size} entries were signed: a split view")
    if old.size not in (0, new.size):  # every log begins with nothing, and with itself
        check_growth(old, new, hashes)


def check_growth(old: Checkpoint, new: Checkpoint, hashes: list[bytes]) -> None:
    """RFC 9162 2.1.4.2."""
    if old.size & (old.size - 1) == 0:
        hashes = [old.root, *hashes]
    if not hashes:
        raise Wrong("the proof is too short")
    position, last = old.size - 1, new.size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_root = new_root = hashes[0]
    for is_left, sibling in steps(position, last, hashes[1:]):
        if is_left:
            old_root, new_root = node_hash(sibling, old_root), node_hash(sibling, new_root)
        else:
            new_root = node_hash(new_root, sibling)
    if (old_root, new_root) != (old.root, new.root):
        raise Wrong("the new log does not begin with the old one: it was rewritten, or this is a split view")


# Entries. The leaf is 0x01, the entry's id, a mark of the key, and a keyed hash of the entry's content.


def read_entry(data: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise Unusable("a name stands twice in the entry")
        return dict(pairs)

    try:
        entry = json.loads(data, object_pairs_hook=once)
        uuid.UUID(entry["content"]["id"]), uuid.UUID(entry["key_id"] or entry["content"]["id"])
        decode(entry["commitment"]), decode(entry["key"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unusable("not an entry as the shop hands it out") from None
    return dict(entry)


def leaf_of(entry: dict[str, Any]) -> tuple[bytes, bool]:
    """The leaf, and whether the content could be checked: not where the key was destroyed or is the shop's own."""
    entry_id = uuid.UUID(entry["content"]["id"]).bytes
    mark = hashlib.sha256(uuid.UUID(entry["key_id"]).bytes + entry_id).digest()[:16] if entry["key_id"] else bytes(16)
    committed = decode(entry["commitment"])
    if entry["key"]:
        content = json.dumps(entry["content"], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        made = hmac.new(decode(entry["key"]), b"audit entry 1\n" + content.encode(errors="surrogatepass"), "sha256").digest()
        if made != committed:
            raise Wrong("its content, or its key, was changed")
    return b"\x01" + entry_id + mark + committed, bool(entry["key"])


def read_proof(text: str) -> tuple[int, list[bytes], str]:
    head, gap, note = text.partition("\n\n")
    parts = PROOF.fullmatch(head)
    if not parts or not gap:
        raise Unusable("not a proof")
    decode(parts[1] or "")
    return int(parts[2]), [decode(line) for line in parts[3].split("\n")[1:]], note


def check_entry(data: str, proof: str, keys: list[Key], witnesses: list[Key]) -> tuple[str, bool]:
    entry = read_entry(data)
    index, hashes, note = read_proof(proof)
    checkpoint = Checkpoint(note)
    checkpoint.check(keys, witnesses)
    leaf, is_read = leaf_of(entry)
    check_inclusion(index, leaf, hashes, checkpoint)
    content = entry["content"]
    if not is_read:
        return f"entry {index}: is in the log; WHAT IT SAYS CANNOT BE CHECKED, for its key is not here", False
    said = f"{content.get('event')} by {content.get('actor_role')}, purpose {content.get('purpose') or 'none'}, {content.get('outcome')}"
    return f"entry {index}: holds. {content.get('at')} {said}", True


# The commands: each prints what holds, raises Wrong, and returns whether everything could be checked.


def check_checkpoint(keys: list[Key], witnesses: list[Key], file: str) -> bool:
    checkpoint = Checkpoint(read(file))
    signed = checkpoint.check(keys, witnesses)
    print(f"The log {checkpoint.origin} has {checkpoint.size} entries. Signed by: {', '.join(signed)}.")
    return True


def check_two_checkpoints(keys: list[Key], witnesses: list[Key], *files: str) -> bool:
    old, new, proof = Checkpoint(read(files[0])), Checkpoint(read(files[1])), read(files[2])
    old.check(keys, [])
    new.check(keys, witnesses)
    check_consistency(old, new, [decode(line) for line in proof.split()])
    print(f"The log of {old.size} entries is a beginning of that of {new.size}: nothing was changed or removed in between.")
    return True


def check_one_entry(keys: list[Key], witnesses: list[Key], entry: str, proof: str) -> bool:
    said, is_read = check_entry(read(entry), read(proof), keys, witnesses)
    print(said)
    return is_read


def check_bundle(keys: list[Key], witnesses: list[Key], path: str) -> bool:
    files = read_bundle(path)
    found = {name.rpartition(".")[0] for name in files if name.startswith("entries/")}
    if not found and "contents" not in files:
        raise Unusable("there are no entries in it")
    keys = keys or [Key(line) for line in files.get("keys.txt", "").split()]
    listed = {f"entries/{place}" for place in check_contents(files, keys).places}
    names = sorted(found | listed, key=lambda name: (len(name), name))
    failed, unread = 0, 0
    for name in names:
        try:
            if name not in listed:
                raise Wrong("it was put in: the list of contents does not name it")
            if f"{name}.json" not in files or f"{name}.tlog-proof" not in files:
                raise Wrong("the entry or its proof is missing")
            index, _, note = read_proof(files[f"{name}.tlog-proof"])
            if (f"entries/{index}", note) != (name, files["checkpoint"]):
                raise Wrong("its proof is of another place, or leads to another checkpoint")
            said, is_read = check_entry(files[f"{name}.json"], files[f"{name}.tlog-proof"], keys, witnesses)
            unread += not is_read
            print(said)
        except (Wrong, Unusable) as error:
            failed += 1
            print(f"{name}: DOES NOT HOLD: {error}")
    print(f"{len(names) - failed} of {len(names)} entries are in the log, {unread} of them unread.")
    if failed:
        raise Wrong(f"{failed} of {len(names)} entries do not hold")
    return not unread


def check_contents(files: dict[str, str], keys: list[Key]) -> Contents:
    """What belongs in the download, as the log signed it, whose keys sign such lists under a name of their own.

    The checkpoint stands in the proof of each entry, and is checked there.
    """
    if missing := [name for name in LISTS if name not in files]:
        raise Wrong(f"{' and '.join(missing)} is missing, so nobody can tell what was taken out")
    contents, checkpoint = Contents(files["contents"]), Checkpoint(files["checkpoint"])
    contents.signed_by([key.named(f"{key.name}/bundle") for key in keys if key.type == ED25519])
    if (contents.name, contents.size) != (f"{checkpoint.origin}/bundle", checkpoint.size):
        raise Wrong("the list of contents belongs to another checkpoint")
    return contents


def read_bundle(path: str) -> dict[str, str]:
    place = Path(path)
    if place.is_dir():
        wanted = [place / "keys.txt", *(place / name for name in LISTS), *place.glob("entries/*")]
        return {file.relative_to(place).as_posix(): read(file) for file in wanted if file.is_file()}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                archive.open(member).close()  # raises where the list of names differs from what stands at the file itself
            named = [name for name in archive.namelist() if name.startswith("entries/") or name in ("keys.txt", *LISTS)]
            return {name: text_of(archive.open(name).read(LARGEST_FILE + 1)) for name in named}
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error):
        raise Unusable(f"neither a folder nor a whole zip: {path}") from None
    except RuntimeError:  # a password, or a way of packing that this Python does not know
        raise Unusable(f"a zip that cannot be unpacked here: {path}") from None


def read(path: str | Path) -> str:
    try:
        with Path(path).open("rb") as file:
            return text_of(file.read(LARGEST_FILE + 1))
    except OSError:
        raise Unusable(f"cannot read {path}") from None


def text_of(data: bytes) -> str:
    try:
        if len(data) <= LARGEST_FILE:
            return data.decode()
    except UnicodeDecodeError:
        pass
    raise Unusable("a file is too large, or not a text")


def keys_from(values: list[str]) -> list[Key]:
    return [Key(line) for value in values for line in (read(value).split() if Path(value).exists() else [value])]


COMMANDS: dict[str, tuple[Any, list[str]]] = {
    "bundle": (check_bundle, ["folder_or_zip"]),
    "entry": (check_one_entry, ["entry", "proof"]),
    "checkpoint": (check_checkpoint, ["file"]),
    "consistency": (check_two_checkpoints, ["old", "new", "proof"]),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--witness", action="append", default=[])
    options = parser.parse_args()
    run, files = COMMANDS[options.command]
    if len(options.files) != len(files):
        parser.error(f"{options.command} takes: {' '.join(files)}")
    try:
        keys = keys_from(options.key)
        if not keys and run is not check_bundle:
            raise Unusable("name a key of the log with --key; it stands on the page of the log and in keys.txt")
        is_all = run(keys, keys_from(options.witness), *options.files)
    except (Wrong, Unusable) as error:
        print(f"{'DOES NOT HOLD' if isinstance(error, Wrong) else 'CANNOT BE READ'}: {error}.")
        return 1 if isinstance(error, Wrong) else 2
    if not keys:
        print("The keys came with the download. Compare them with those that the shop published elsewhere, and name one with --key.")
    print("Everything holds." if is_all else "Nothing is wrong, but not everything could be checked.")
    return 0 if is_all else 3


if __name__ == "__main__":
    sys.exit(main())
