"""The words of each policy version as they are published, one file a version and language (CHANGE-5)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def words_of_version(number: int) -> dict[str, dict[str, Any]]:
    """The words by locale, in the form that ``publish_policy`` takes. Empty for a version that nobody wrote."""
    return {path.name.split(".")[1]: json.loads(path.read_text("utf-8")) for path in sorted(HERE.glob(f"{number}.*.json"))}
