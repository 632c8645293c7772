"""Making a backup: the data in one directory, the keys in another, each complete or not there at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage, storages
from django.db import DatabaseError, connection
from django.utils import timezone

from marketplace.backups import epochs
from marketplace.backups.errors import BackupFailed
from marketplace.backups.manifest import Manifest, hashes_of, key_checks
from marketplace.backups.postgres import ProgramFailed, dump_database, next_transaction
from privacy.vault.ledger import copy_ledger, ledger_path
from privacy.wall.catalog import tables_hidden_from

DATA, KEYS = "data", "keys"
DATABASES = {DATA: "default", KEYS: "vault"}
DUMP = "database.dump"
LEDGER = "erasures.jsonl"
LOG = "log"
NOT_KEPT = {"staticfiles"}

Say = Callable[[str], object]


def make_backup(target: Path, parts: tuple[str, ...] = (DATA, KEYS), say: Say = lambda line: None) -> list[Path]:
    """Write ``target/<part>-<time>`` for each part; returns these directories. With the keys, one file beside them is
    written over, without which they open nothing: the secrets of the epochs.

    For a login that sees every row, which the worker's does and the owner's does not: the wall stands meanwhile. The
    key-encryption key and the other secrets are not in either: they are kept apart, by hand. Raises BackupFailed.
    """
    if DATA in parts:
        _require_whole_sight()
    moment = timezone.now()
    made = []
    for part in parts:
        final = target / f"{part}-{moment:%Y%m%dT%H%M%SZ}"
        draft = final.with_name(f".{final.name}.part")
        try:
            draft.mkdir(mode=0o700, parents=True)
            _write(part, draft, moment.isoformat(timespec="seconds"), say)
            draft.rename(final)
            _settle(target)
        except (OSError, ProgramFailed, DatabaseError) as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise BackupFailed(f"The backup of the {part} was not made: {error}") from error
        made.append(final)
        say(f"{final}: {sum(path.stat().st_size for path in final.rglob('*') if path.is_file()):,} bytes")
    return made


def _write(part: str, draft: Path, made_at: str, say: Say) -> None:
    """The log's checkpoints are copied first: outside may know less than the database, never more."""
    if part == DATA:
        _copy_tree(Path(settings.STATE) / LOG, draft / LOG)
    say(f"Dumping the {part}")
    dump_database(DATABASES[part], draft / DUMP, without=(epochs.TABLE,) if part == KEYS else ())
    if part == DATA:
        for name, place in sealed_files():
            say(f"Copying sealed files: {name}")
            _copy_tree(place, draft / "files" / name)
    else:
        copy_ledger()
        shutil.copyfile(ledger_path(), draft / LEDGER)
        epochs.write_secrets(draft.parent / epochs.FILE)
    needed = epochs.needed_epochs() if part == KEYS else []
    Manifest(part, made_at, next_transaction(DATABASES[part]), key_checks(), hashes_of(draft), needed).write(draft)
    for path in draft.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        _settle(path)


def _require_whole_sight() -> None:
    """PostgreSQL leaves out of a dump what a policy hides, and says nothing."""
    with connection.cursor() as cursor:
        hidden = tables_hidden_from(cursor)
    if hidden:
        raise BackupFailed(f"This login does not see every row of {hidden[0]}: make backups with MARKETPLACE_DB_ROLE=worker.")


def sealed_files() -> Iterator[tuple[str, Path]]:
    """Where the storages that lie in this machine's file system keep their files: name and directory."""
    for name in settings.STORAGES:
        storage = storages[name]
        if name not in NOT_KEPT and isinstance(storage, FileSystemStorage):
            yield name, Path(storage.location)


def _copy_tree(source: Path, target: Path) -> None:
    """Files come and go while we copy: what is gone by now was meant to go."""
    for path in source.rglob("*") if source.exists() else ():
        if path.is_file() and not path.name.startswith("."):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(path, copy)
            except FileNotFoundError:
                copy.unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """On the disk, not only in its cache, before anybody counts on it."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
