"""The documents say what is there: links lead somewhere, variables and commands exist."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT: Path = settings.BASE_DIR
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
READ = re.compile(r'(?:required|optional|number|key|key_text|key_ring|environ\.get)\(\s*"([A-Z][A-Z_]+)"')
COMMAND = re.compile(r"manage\.py ([a-z_]+)")


def text_of(*paths: str) -> str:
    return "\n".join((ROOT / path).read_text("utf-8") for path in paths)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path):
    links = LINK.findall(document.read_text("utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_exists(document: Path):
    named = set(COMMAND.findall(document.read_text("utf-8")))

    assert named - set(get_commands()) == set()


def test_readme_names_every_variable_that_is_read():
    read = READ.findall(
        text_of("marketplace/environment.py", "marketplace/settings.py", "marketplace/gunicorn.py", "marketplace/supervisor.py")
    )
    readme = text_of("README.md")

    assert sorted(name for name in set(read) if f"`{name}`" not in readme) == []


def test_decisions_are_numbered_without_gaps():
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))
