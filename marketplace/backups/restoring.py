"""Restoring a backup: checked before anything is touched, and what was erased since is erased again."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Max

from audit.actions import verify_log
from audit.grants import require_open
from audit.models import Checkpoint, Entry, Verification
from marketplace.backups import epochs
from marketplace.backups.errors import RestoreRefused
from marketplace.backups.making import DATA, DATABASES, DUMP, KEYS, LEDGER, LOG, Say, sealed_files
from marketplace.backups.manifest import Manifest, read_manifest, require_keys
from marketplace.backups.postgres import empty_database, is_empty, other_sessions, restore_database, spend_transactions
from privacy.policy.roles import Actor
from privacy.rights.replay import replay_erasures
from privacy.vault.ledger import ledger_path, read_ledger
from privacy.wall.context import entered
from privacy.wall.logins import Login

RESTORER = Actor.job("restore")


def restore_backup(
    parts: Mapping[str, Path],
    *,
    ledgers: Iterable[Path] = (),
    secrets: Iterable[Path] = (),
    replace: bool = False,
    say: Say = print,
) -> Verification:
    """Put the parts back, erase again what the ledgers say was erased, and verify the log.

    ``parts`` maps "data" and "keys" to directories that ``make_backup`` made; ``ledgers`` are copies of the erasure
    ledger newer than them, ``secrets`` files of epoch secrets (the one beside the keys is read anyway). Raises
    RestoreRefused, with nothing changed, for a damaged backup, missing keys, somebody connected, or databases that are
    not empty (unless ``replace``), and LogKept where a log is to be replaced that nobody opened; ProgramFailed with that database empty.
    """
    manifests = {part: read_manifest(directory, part) for part, directory in parts.items()}
    lines = _erasures(parts, ledgers)
    for manifest in manifests.values():
        require_keys(manifest.keys)
    known = _secrets(parts, secrets, manifests)
    for part in parts:
        _require_room(part, replace=replace)
    for part, directory in parts.items():
        say(f"Restoring the {part} of {manifests[part].made_at}")
        empty_database(DATABASES[part])
        restore_database(DATABASES[part], directory / DUMP)
    for alias in ("vault", "default"):
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    epochs.enter_secrets(known)
    with entered(Login.WORKER):
        if DATA in parts:
            _restore_files(parts[DATA], replace=replace)
            _catch_up(manifests[DATA], say)
        erased = replay_erasures(by=RESTORER, lines=lines)
        say(f"{len(lines)} destroyed keys stay destroyed; {erased} people were erased again")
        say("Verifying the log")
        return verify_log(by=RESTORER)


def _erasures(parts: Mapping[str, Path], ledgers: Iterable[Path]) -> list[dict[str, str]]:
    """The ledger of the backup, the copy that this machine keeps, and those given: whoever knows of an erasure is right."""
    known = [ledger_path(), *([parts[KEYS] / LEDGER] if KEYS in parts else [])]
    given = list(ledgers)
    for path in given:
        if not path.is_file():
            raise RestoreRefused(f"{path} is not a copy of the erasure ledger.")
    lines = {line["key"]: line for path in [*known, *given] if path.exists() for line in read_ledger(path)}
    return list(lines.values())


def _secrets(parts: Mapping[str, Path], paths: Iterable[Path], manifests: Mapping[str, Manifest]) -> epochs.Secrets:
    """What this machine, the file beside the backup and those given know; without it the keys would open nothing."""
    if KEYS not in parts:
        return {}
    beside = parts[KEYS].parent / epochs.FILE
    known = epochs.known_secrets() | epochs.read_secrets([*([beside] if beside.exists() else []), *paths])
    if missing := set(manifests[KEYS].epochs) - set(known):
        raise RestoreRefused(f"{len(missing)} epochs of these keys have no secret any more: give a newer {epochs.FILE} by --epochs.")
    return known


def _require_room(part: str, *, replace: bool) -> None:
    alias = DATABASES[part]
    if others := other_sessions(alias):
        raise RestoreRefused(f"{others} others are connected to the database of the {part}: stop web, workers and beat first.")
    if is_empty(alias):
        return
    if not replace:
        raise RestoreRefused(f"The database of the {part} is not empty; --replace throws away what is in it.")
    if part == DATA:
        with connection.cursor() as cursor:
            require_open(cursor, "audit_entry")  # what its keeper owns stays when the owner drops all that is the owner's


def _restore_files(backup: Path, *, replace: bool) -> None:
    """The log's checkpoints come back only where there are none: those that are there may know more than the backup.

    Its newest one does not: where none is kept, the places outside are asked for theirs before anything is signed.
    """
    places = {f"files/{name}": place for name, place in sealed_files()}
    log = Path(settings.STATE) / LOG
    if not (log / "checkpoint").exists():
        places[LOG] = log
    for name, place in places.items():
        if (backup / name).exists():
            left_out = shutil.ignore_patterns("checkpoint") if name == LOG else None
            shutil.copytree(backup / name, place, ignore=left_out, dirs_exist_ok=True)


def _catch_up(manifest: Manifest, say: Say) -> None:
    """What is written from now on sorts after everything that the log has seen."""
    newest = [Checkpoint.objects.aggregate(newest=Max("watermark"))["newest"], Entry.objects.aggregate(newest=Max("transaction"))["newest"]]
    reached = max([manifest.next_transaction, *(int(number) for number in newest if number is not None)])
    if spent := spend_transactions(DATABASES[DATA], reached + 1):
        say(f"Spent {spent:,} transaction numbers that the log has seen already")
