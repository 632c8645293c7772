"""Writes docs/data-map.md from the declarations: each field of each table, and why it may be there (COLLECT-1, COLLECT-6)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from privacy.declarations.lifetimes import Lifetime
from privacy.declarations.purposes import Purpose
from privacy.declarations.registry import data_map
from privacy.declarations.third_party import THIRD_PARTY_TABLES
from privacy.policy.tables import kept_for

HEADING = """# Data map

Made by `manage.py data_map` from the declarations on the models; do not edit. A sealed field is encrypted under a key of its
own person; every other field is listed with why it may stand in clear.
"""


def data_map_text() -> str:
    return "\n".join([HEADING, *_tables(), "## Tables of other people's code\n", *_third_party(), ""])


def _tables() -> Iterator[str]:
    for model, fields in groupby(data_map(), key=attrgetter("model")):
        yield f"## {model._meta.label}\n"
        yield f"{(model.__doc__ or '').strip().splitlines()[0]}\n"
        if hasattr(model, "lifetime"):
            yield _life(model.lifetime)
        yield "| field | personal | why |\n|---|---|---|"
        yield from (f"| {field.name} | {'**sealed**' if field.personal else 'no'} | {field.why} |" for field in fields)
        yield ""


def _life(lifetime: Lifetime) -> str:
    purposes = ", ".join(str(Purpose(purpose).label) for purpose in lifetime.purposes)
    floor = f" The law: {lifetime.floor.citation}." if lifetime.floor else ""
    return f"Used to: {purposes}. Kept until: {lifetime.until or kept_for(lifetime)}.{floor}\n"


def _third_party() -> Iterator[str]:
    yield "| table | what it holds, and how it is kept free of personal data |\n|---|---|"
    yield from (f"| {label} | {text} |" for label, text in sorted(THIRD_PARTY_TABLES.items()))


class Command(BaseCommand):
    help = "Write docs/data-map.md from the declarations; --check only compares."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "docs" / "data-map.md"
        text = data_map_text()
        if not options["check"]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            raise CommandError("docs/data-map.md is out of date: run manage.py data_map")
