"""The secrets of epochs travel apart from the keys, in one file that each backup of the keys writes over.

A copy of the keys is worth something only as long as a copy of this file is: it is never kept in versions.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db import connections

from marketplace.backups.errors import RestoreRefused
from privacy.vault.models import Epoch, EpochSecret, SubjectKey

FILE = "epoch-secrets.json"
TABLE = EpochSecret._meta.db_table

Secrets = dict[str, dict[str, Any]]


def known_secrets() -> Secrets:
    """What this database holds, by the id of the epoch; nothing where there are no tables yet."""
    if TABLE not in connections["vault"].introspection.table_names():
        return {}
    return {
        str(row.pk): {"wrapped": base64.b64encode(bytes(row.wrapped)).decode(), "key_version": row.key_version}
        for row in EpochSecret.objects.all()
    }


def write_secrets(path: Path) -> None:
    """Replace the file at once: it is whole, with what it held before or with what is true now."""
    draft = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(known_secrets(), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_secrets(paths: Iterable[Path]) -> Secrets:
    """What these files hold; raises RestoreRefused for anything else."""
    found: Secrets = {}
    for path in paths:
        try:
            found |= {str(id): {"wrapped": secret["wrapped"], "key_version": secret["key_version"]} for id, secret in _content(path)}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            raise RestoreRefused(f"{path} is not a file of epoch secrets.") from None
    return found


def _content(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    content: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return content.items()


def needed_epochs() -> list[str]:
    """The epochs under which the keys of this database lie."""
    used = SubjectKey.objects.exclude(epoch=None).values("epoch")
    return sorted(str(pk) for pk in Epoch.objects.filter(pk__in=used).values_list("pk", flat=True))


def enter_secrets(secrets: Secrets) -> None:
    """Put back what the restored epochs need."""
    rows = [
        EpochSecret(
            epoch=epoch, wrapped=base64.b64decode(secrets[str(epoch.pk)]["wrapped"]), key_version=secrets[str(epoch.pk)]["key_version"]
        )
        for epoch in Epoch.objects.filter(destroyed_at=None)
        if str(epoch.pk) in secrets
    ]
    EpochSecret.objects.bulk_create(rows, ignore_conflicts=True)
