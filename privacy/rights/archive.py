"""The copy as a ZIP: pages for people, JSON and CSV for programs, every field documented (RIGHTS-1).

The layout is a BagIt bag (RFC 8493), so that any bag validator, or ``sha256sum -c``, can check it.
"""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import IO, Any

from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from privacy.policy.operator import operator
from privacy.rights.held_files import HeldFile
from privacy.rights.sections import Row
from privacy.rights.tables import Table

HEADINGS = frozenset({"record", "belongs_to"})
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class ArchiveFile:
    """One file of the archive while it is written, text in UTF-8, hashed on its way."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, text: str) -> int:
        self.write_bytes(text.encode())
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        self._hash.update(data)
        self.size += len(data)
        self._target.write(data)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


class Archive:
    """Writes files into a ZIP, one after the other, straight through to ``out``; nothing is kept in memory."""

    def __init__(self, out: Any, locale: str, made_at: datetime) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
        self._locale = locale
        self._made_at = made_at
        self._digests: dict[str, str] = {}
        self._payload_size = 0
        self._tables: list[tuple[Table, int]] = []

    @contextmanager
    def file(self, name: str) -> Iterator[ArchiveFile]:
        """A file of the archive; only one can be open at a time."""
        info = zipfile.ZipInfo(name, self._made_at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._zip.open(info, "w", force_zip64=True) as target:
            entry = ArchiveFile(target)
            yield entry
        self._digests[name] = entry.digest
        self._payload_size += entry.size if name.startswith("data/") else 0

    def add_table(self, table: Table) -> None:
        """The rows as JSON, as CSV and as a page; they are read once for each."""
        with self.file(f"data/{_path(table)}.json") as out:
            number = _write_json(out, table)
        with self.file(f"data/{_path(table)}.csv") as out:
            _write_csv(out, table)
        with self.file(f"data/pages/{_page(table)}") as out:
            _write_page(out, table, self._locale)
        self._tables.append((table, number))

    def add_file(self, held: HeldFile) -> None:
        """A file as it is held."""
        with self.file(f"data/files/{held.name}") as out:
            for chunk in held.chunks():
                out.write_bytes(chunk)

    def close(self, reference: str) -> None:
        """Add the first page, the dictionary of fields, the readme and the manifests, and end the ZIP."""
        with self.file("data/fields.json") as out:
            out.write(json.dumps(dictionary(table for table, _number in self._tables), ensure_ascii=False, indent=1))
        words = {"reference": reference, "made_at": self._made_at, "locale": self._locale, "operator": operator()}
        tables = [{"table": table, "page": _page(table), "path": _path(table), "number": number} for table, number in self._tables]
        with self.file("index.html") as out:
            out.write(render_to_string("privacy/copy/index.html", words | {"tables": tables}))
        with self.file("README.txt") as out:
            out.write(render_to_string("privacy/copy/readme.txt", words))
        self._add_manifests(reference)
        self._zip.close()

    def _add_manifests(self, reference: str) -> None:
        with self.file("bagit.txt") as out:
            out.write("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
        payload = {name: digest for name, digest in self._digests.items() if name.startswith("data/")}
        with self.file("bag-info.txt") as out:
            out.write(f"Bagging-Date: {self._made_at:%Y-%m-%d}\nExternal-Identifier: {reference}\n")
            out.write(f"Payload-Oxum: {self._payload_size}.{len(payload)}\n")
        with self.file("manifest-sha256.txt") as out:
            out.write(_manifest(payload))
        tags = {name: digest for name, digest in self._digests.items() if not name.startswith("data/")}
        with self.file("tagmanifest-sha256.txt") as out:
            out.write(_manifest(tags))


def dictionary(tables: Iterable[Table]) -> list[dict[str, Any]]:
    """Every column of every table: what it is, whether it is sealed with us, what for, and for how long."""
    return [
        {
            "file": f"{_path(table)}.csv",
            "field": column.name,
            "label": str(column.title),
            "about": str(column.about),
            "type": column.kind,
            "category": table.folder,
            "personal": column.name in table.personal,
            "purposes": list(table.purposes),
            "kept_until": str(table.kept),
        }
        for table in tables
        for column in table.columns
    ]


def guarded(value: str) -> str:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection)."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def _path(table: Table) -> str:
    return f"{table.folder}/{table.name}" if table.folder else table.name


def _page(table: Table) -> str:
    return f"{table.folder}_{table.name}.html" if table.folder else f"{table.name}.html"


def _manifest(digests: dict[str, str]) -> str:
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items())


def _write_json(out: ArchiveFile, table: Table) -> int:
    number = 0
    out.write("[")
    for number, row in enumerate(table.rows(), 1):
        out.write(",\n" if number > 1 else "\n")
        values = {column.name: _plain(row.get(column.name)) for column in table.columns}
        out.write(json.dumps(values, ensure_ascii=False))
    out.write("\n]\n")
    return number


def _write_csv(out: ArchiveFile, table: Table) -> None:
    writer = csv.writer(out)
    writer.writerow([column.name for column in table.columns])
    for row in table.rows():
        writer.writerow([_cell(row.get(column.name)) for column in table.columns])


def _write_page(out: ArchiveFile, table: Table, locale: str) -> None:
    out.write(render_to_string("privacy/copy/page_start.html", {"table": table, "locale": locale}))
    for number, row in enumerate(table.rows(), 1):
        out.write(
            render_to_string(
                "privacy/copy/record.html", {"number": number, "title": row.get("belongs_to", ""), "lines": _lines(table, row)}
            )
        )
    out.write(render_to_string("privacy/copy/page_end.html", {}))


def _lines(table: Table, row: Row) -> list[tuple[str, str]]:
    """(label, text) of everything that is there, in words for people."""
    shown = [column for column in table.columns if column.name not in HEADINGS]
    pairs = [(str(column.title), _readable(row.get(column.name))) for column in shown]
    return [(label, text) for label, text in pairs if text]


def _plain(value: Any) -> Any:
    """As JSON: moments in ISO 8601 UTC, numbers and truth as they are, everything else as text."""
    if value is None or isinstance(value, bool | int | list):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _cell(value: Any) -> Any:
    plain = _plain(value)
    if isinstance(plain, list):
        plain = " ".join(str(part) for part in plain)
    return guarded(plain) if isinstance(plain, str) else plain


def _readable(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return f"{formats.date_format(timezone.localtime(value), 'DATETIME_FORMAT')} {timezone.localtime(value):%Z}"
    if isinstance(value, date):
        return formats.date_format(value, "DATE_FORMAT")
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return str(value)
