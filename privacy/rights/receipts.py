"""A receipt in words (RIGHTS-3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.apps import apps

from privacy.declarations.categories import Category
from privacy.rights.models import Receipt


def receipt_lines(receipt: Receipt) -> dict[str, Any]:
    """What went, which keys, and what stays until when; from numbers and names of models alone."""
    return {
        "went": [(_plural(label), number) for label, number in sorted(receipt.counts.items()) if number],
        "keys": [str(Category(scope).label) for scope in receipt.scopes if scope in Category],
        "stays": [_stay(line) for line in receipt.kept],
    }


def _stay(line: dict[str, Any]) -> dict[str, Any]:
    until = line["until"] and datetime.fromisoformat(line["until"])
    return {"what": _plural(line["model"]), "number": line["records"], "law": line["citation"], "until": until}


def _plural(label: str) -> str:
    """The model's name in words; the bare label once a later version has no such model."""
    try:
        return str(apps.get_model(label)._meta.verbose_name_plural)
    except LookupError:
        return label
