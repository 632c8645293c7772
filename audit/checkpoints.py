"""Keeps USE-3: checkpoints are signed, and the newest are kept where a restored database cannot take them back."""

import fcntl
import hmac
import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from audit.errors import CheckpointBroken, InvalidNote, LogRolledBack
from audit.files import replace_file
from audit.models import Checkpoint, Cosignature, Publication
from audit.notes import CheckpointText, SigningKey, VerifierKey, open_note, sign_note
from audit.tree import Frontier


def signing_keys(name: str = "") -> list[SigningKey]:
    """The key in use and, for as long as both are configured, the one before it, so that whoever knows only that goes on.

    They sign as the log, or under another ``name``.
    """
    seeds = [settings.AUDIT_SIGNING_KEY, getattr(settings, "AUDIT_FORMER_SIGNING_KEY", b"")]
    return [SigningKey(name or settings.AUDIT_ORIGIN, seed) for seed in seeds if seed]


def signing_key_version() -> int:
    return int(getattr(settings, "AUDIT_SIGNING_KEY_VERSION", 1))


def verifier_keys() -> list[VerifierKey]:
    """The key in use first, then those that signed before it (settings.AUDIT_FORMER_KEYS, as vkeys)."""
    former = [VerifierKey.parse(vkey) for vkey in getattr(settings, "AUDIT_FORMER_KEYS", ())]
    return list(dict.fromkeys([*(key.verifier for key in signing_keys()), *former]))


def sign_checkpoint(size: int, root: bytes) -> str:
    return sign_note(str(CheckpointText(settings.AUDIT_ORIGIN, size, root)), signing_keys())


def sign_contents(places: Collection[int], size: int) -> str:
    """What belongs in a bundle of proofs up to a checkpoint; under a name of its own, so that nobody takes it for a checkpoint."""
    name = f"{settings.AUDIT_ORIGIN}/bundle"
    return sign_note("".join(f"{line}\n" for line in (name, len(places), size, *sorted(places))), signing_keys(name))


def read_checkpoint(note: str, keys: list[VerifierKey]) -> CheckpointText:
    """Return what a signed checkpoint of this log says; raises InvalidNote."""
    text = CheckpointText.parse(open_note(note, keys))
    if text.origin != settings.AUDIT_ORIGIN:
        raise InvalidNote("the checkpoint is of another log")
    return text


def newest_checkpoint() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-size").first()


def cosigned_note(row: Checkpoint) -> str:
    """The checkpoint with the signature lines of the witnesses that have seen it."""
    lines = Cosignature.objects.filter(size=row.size).order_by("witness").values_list("line", flat=True)
    return row.note + "".join(lines)


def row_seal(row: Checkpoint) -> bytes:
    """A keyed hash of every column: when it was signed and where the next one begins do not stand in the note."""
    content = {
        "frontier": bytes(row.frontier).hex(),
        "key_version": row.key_version,
        "note": row.note,
        "root": bytes(row.root).hex(),
        "signed_at": row.signed_at.astimezone(UTC).isoformat(),
        "size": row.size,
        "watermark": str(row.watermark),
    }
    return hmac.digest(settings.COMMITMENT_KEY, b"audit checkpoint 1\n" + json.dumps(content, sort_keys=True).encode(), "sha256")


def check_row(row: Checkpoint, keys: list[VerifierKey]) -> None:
    """Raise CheckpointBroken unless the row says what its signed note says, and is as it was added."""
    try:
        text = read_checkpoint(row.note, keys)
    except InvalidNote as error:
        raise CheckpointBroken(f"the checkpoint of {row.size} entries is not signed: {error}") from error
    if (text.size, text.root) != (row.size, bytes(row.root)):
        raise CheckpointBroken(f"the checkpoint of {row.size} entries differs from what was signed")
    if not hmac.compare_digest(row_seal(row), bytes(row.seal)):
        raise CheckpointBroken(f"the checkpoint of {row.size} entries was changed")


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
    """Bring the directory outside up to date where an earlier run died before it could.

    Raises LogRolledBack when that directory, or a place to which checkpoints are published, knows a later or another
    state of this log: signing on would make two inconsistent checkpoints of one log, which C2SP forbids and every
    holder of the earlier one would take for a forgery.
    """
    outside = newest_outside()
    if outside:
        if newest is None or outside.size > newest.size:
            raise LogRolledBack(f"outside the database the log has {outside.size} entries")
        same = Checkpoint.objects.filter(size=outside.size).first()
        if same is None or bytes(same.root) != outside.root:
            raise LogRolledBack(f"outside the database the log of {outside.size} entries has another root")
    if contradicted := Publication.objects.exclude(finding="").first():
        raise LogRolledBack(contradicted.finding)
    if newest and (outside is None or outside.size < newest.size):
        publish_checkpoint(newest.note)


def publish_checkpoint(note: str) -> None:
    """Put a checkpoint into the directory outside the database: as the newest one, and as the last one of its day.

    Two jobs that end at once take turns, and the smaller one never replaces the larger.
    """
    keep_in(_directory(), note)


def keep_in(directory: Path, note: str) -> None:
    """The same in any directory."""
    (directory / "days").mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outside = newest_in(directory)
        if outside and outside.size >= read_checkpoint(note, verifier_keys()).size:
            return
        replace_file(directory / "days" / datetime.now(UTC).date().isoformat(), note)
        replace_file(directory / "checkpoint", note)


def is_kept_here() -> bool:
    """Whether the directory outside the database holds a checkpoint; on a machine that was set up anew it does not."""
    return (_directory() / "checkpoint").exists()


def newest_outside() -> CheckpointText | None:
    return newest_in(_directory())


def newest_in(directory: Path) -> CheckpointText | None:
    """The newest checkpoint in a directory; raises CheckpointBroken when it is not signed."""
    path = directory / "checkpoint"
    return read_kept(path.read_bytes(), path.name) if path.exists() else None


def all_outside() -> Iterator[CheckpointText]:
    """Every checkpoint kept outside, smallest first; raises CheckpointBroken when one is not signed."""
    paths = [_directory() / "checkpoint", *(_directory() / "days").glob("????-??-??")]
    yield from sorted((read_kept(path.read_bytes(), path.name) for path in paths if path.exists()), key=lambda text: text.size)


def read_kept(data: bytes, name: str) -> CheckpointText:
    """What a checkpoint kept outside under this name says; raises CheckpointBroken when it is not signed."""
    try:
        return read_checkpoint(data.decode(), verifier_keys())
    except (InvalidNote, UnicodeDecodeError) as error:
        raise CheckpointBroken(f"the checkpoint kept outside as {name} is not signed: {error}") from error


def _directory() -> Path:
    return Path(settings.STATE) / "log"
