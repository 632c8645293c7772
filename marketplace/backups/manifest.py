"""What a backup says of itself: its files with their hashes, and which keys it needs, without giving any away."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.conf import settings

from marketplace.backups.errors import RestoreRefused

NAME = "manifest.json"
FORMAT = 1
CHECK = b"marketplace backup key check"


@dataclass(frozen=True)
class Manifest:
    """``part`` is "data" or "keys"; ``files`` maps a relative path to its SHA-256; ``keys`` names to check values;
    ``epochs`` are those whose secrets the keys need."""

    part: str
    made_at: str
    next_transaction: int
    keys: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    epochs: list[str] = field(default_factory=list)
    format: int = FORMAT

    def write(self, directory: Path) -> None:
        (directory / NAME).write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n", "utf-8")


def read_manifest(directory: Path, part: str) -> Manifest:
    """The manifest of a whole and undamaged backup of this part; raises RestoreRefused for anything else."""
    try:
        manifest = Manifest(**json.loads((directory / NAME).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        raise RestoreRefused(f"{directory} holds no backup: its {NAME} is missing or unreadable.") from None
    if manifest.format != FORMAT or manifest.part != part:
        raise RestoreRefused(f"{directory} is not a backup of the {part} that this version can read.")
    for path, digest in manifest.files.items():
        if not (directory / path).is_file() or sha256_of(directory / path) != digest:
            raise RestoreRefused(f"The backup is damaged: {path} is not what was written.")
    return manifest


def hashes_of(directory: Path) -> dict[str, str]:
    """The SHA-256 of every file below a directory, by relative path."""
    return {path.relative_to(directory).as_posix(): sha256_of(path) for path in sorted(directory.rglob("*")) if path.is_file()}


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_checks() -> dict[str, str]:
    """For each key in use a value that tells it from another and tells nothing else (the keys are random, 256 bits)."""
    return {name: hmac.new(key, CHECK + name.encode(), "sha256").hexdigest()[:16] for name, key in _keys()}


def _keys() -> Iterator[tuple[str, bytes]]:
    for version, key in settings.KEY_ENCRYPTION_KEYS.items():
        yield f"KEY_ENCRYPTION_KEYS version {version}", key
    for version, id in settings.KMS_KEY_IDS.items():
        yield f"KMS_KEY_IDS version {version}", id.encode()
    yield "BLIND_INDEX_KEY", settings.BLIND_INDEX_KEY
    if settings.BLIND_INDEX_SECOND_KEY:
        yield "BLIND_INDEX_SECOND_KEY", settings.BLIND_INDEX_SECOND_KEY
    yield "AUDIT_SIGNING_KEY", settings.AUDIT_SIGNING_KEY
    yield "COMMITMENT_KEY", settings.COMMITMENT_KEY


def require_keys(wanted: Mapping[str, str]) -> None:
    """Raise RestoreRefused unless each key that the backup was made with is configured here."""
    here = key_checks()
    missing = sorted(name for name, check in wanted.items() if here.get(name) != check)
    if missing:
        raise RestoreRefused(f"This site has not the keys that the backup needs: {', '.join(missing)}.")
