"""Keeps USE-3: checkpoints are signed, and the newest are kept where a restored database cannot take them back."""

import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from audit.errors import CheckpointBroken, InvalidNote, LogRolledBack
from audit.models import Checkpoint
from audit.notes import CheckpointText, SigningKey, VerifierKey, open_note
from audit.tree import Frontier


def signing_key() -> SigningKey:
    return SigningKey(settings.AUDIT_ORIGIN, settings.AUDIT_SIGNING_KEY)


def signing_key_version() -> int:
    return int(getattr(settings, "AUDIT_SIGNING_KEY_VERSION", 1))


def verifier_keys() -> list[VerifierKey]:
    """The key in use and those that signed before it (settings.AUDIT_FORMER_KEYS, as vkeys)."""
    former = [VerifierKey.parse(vkey) for vkey in getattr(settings, "AUDIT_FORMER_KEYS", ())]
    return [signing_key().verifier, *former]


def sign_checkpoint(size: int, root: bytes) -> str:
    return signing_key().sign(str(CheckpointText(settings.AUDIT_ORIGIN, size, root)))


def read_checkpoint(note: str, keys: list[VerifierKey]) -> CheckpointText:
    """Return what a signed checkpoint of this log says; raises InvalidNote."""
    text = CheckpointText.parse(open_note(note, keys))
    if text.origin != settings.AUDIT_ORIGIN:
        raise InvalidNote("the checkpoint is of another log")
    return text


def check_row(row: Checkpoint, keys: list[VerifierKey]) -> None:
    """Raise CheckpointBroken unless the row says what its signed note says."""
    try:
        text = read_checkpoint(row.note, keys)
    except InvalidNote as error:
        raise CheckpointBroken(f"the checkpoint of {row.size} entries is not signed: {error}") from error
    if (text.size, text.root) != (row.size, bytes(row.root)):
        raise CheckpointBroken(f"the checkpoint of {row.size} entries differs from what was signed")


def frontier_of(row: Checkpoint | None) -> Frontier:
    """The tree to append to. Raises CheckpointBroken rather than let a damaged one be built upon."""
    if row is None:
        return Frontier()
    check_row(row, verifier_keys())
    frontier = Frontier.from_bytes(row.size, bytes(row.frontier))
    if frontier.root() != bytes(row.root):
        raise CheckpointBroken(f"the frontier of the checkpoint of {row.size} entries is damaged")
    return frontier


def settle_outside(newest: Checkpoint | None) -> None:
    """Bring the outside up to date where an earlier run died before it could.

    Raises LogRolledBack when the outside knows a later or another state of this log: signing on
    would make two inconsistent checkpoints of one log, which C2SP forbids and every holder of the
    earlier one would take for a forgery.
    """
    outside = newest_outside()
    if outside:
        if newest is None or outside.size > newest.size:
            raise LogRolledBack(f"outside the database the log has {outside.size} entries")
        same = Checkpoint.objects.filter(size=outside.size).first()
        if same is None or bytes(same.root) != outside.root:
            raise LogRolledBack(f"outside the database the log of {outside.size} entries has another root")
    if newest and (outside is None or outside.size < newest.size):
        publish_checkpoint(newest.note)


def publish_checkpoint(note: str) -> None:
    """Put a checkpoint outside the database: as the newest one, and as the last one of its day.

    Two jobs that end at once take turns, and the smaller one never replaces the larger.
    """
    directory = _directory()
    (directory / "days").mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outside = newest_outside()
        if outside and outside.size >= read_checkpoint(note, verifier_keys()).size:
            return
        _replace(directory / "days" / datetime.now(UTC).date().isoformat(), note)
        _replace(_newest_path(), note)


def newest_outside() -> CheckpointText | None:
    path = _newest_path()
    return _read(path) if path.exists() else None


def all_outside() -> Iterator[CheckpointText]:
    """Every checkpoint kept outside, smallest first; raises CheckpointBroken when one is not signed."""
    paths = [_newest_path(), *(_directory() / "days").glob("????-??-??")]
    yield from sorted((_read(path) for path in paths if path.exists()), key=lambda text: text.size)


def _read(path: Path) -> CheckpointText:
    try:
        return read_checkpoint(path.read_text(encoding="utf-8"), verifier_keys())
    except (InvalidNote, UnicodeDecodeError) as error:
        raise CheckpointBroken(f"the checkpoint kept outside as {path.name} is not signed: {error}") from error


def _directory() -> Path:
    return Path(settings.STATE) / "log"


def _newest_path() -> Path:
    return _directory() / "checkpoint"


def _replace(path: Path, text: str) -> None:
    """Readers and a power cut see the old file or the new one, never half of it."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
