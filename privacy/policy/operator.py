"""Who runs the shop and answers for the data, as everybody may read it (CHANGE-5, RIGHTS-5)."""

from __future__ import annotations

import re

from privacy.policy.models import OperatorIdentity

HEADING = "#"


def operator() -> OperatorIdentity:
    """The identity in force, in one query; one whose values are empty where nobody has entered any."""
    return OperatorIdentity.objects.order_by("-number").first() or OperatorIdentity()


def blocks_of(text: str) -> list[tuple[str, str]]:
    """Text as entered, in (kind, words): "heading" for a line that begins with #, "paragraph" between empty lines."""
    marked = re.sub(r"^#+[ \t]*(.*)$", rf"\n\n{HEADING}\1\n\n", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    parts = [part.strip() for part in re.split(r"\n\s*\n", marked)]
    return [("heading", part[1:]) if part.startswith(HEADING) else ("paragraph", part) for part in parts if part.strip(HEADING)]
