"""Keeps USE-3: what was signed is on the disk, whole, before anybody is told. Needs nothing of the site: a witness runs it alone."""

import os
from pathlib import Path


def replace_file(path: Path, text: str) -> None:
    """Readers and a power cut see the old file or the new one, never half of it; when this returns, the new one."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
