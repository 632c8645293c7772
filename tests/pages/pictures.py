"""``python -m tests.pages.pictures FOLDER [NAME...]``: every page of the table as a picture, for a person to look at.

Each role gets a folder with its pages at 1280 and 390 px, customers' pages in Arabic too, and `sheet-1.png` and so on
with all of them in small. With names, only the pages whose name holds one of them. Needs a browser; runs on databases of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, sync_playwright

THUMBNAIL = (300, 420)
COLUMNS = 8
ON_A_SHEET = 24
LABEL = 18
NARROW_PIXELS = 390


def main(folder: Path, wanted: list[str]) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from tests.conftest import BROWSER_ARGUMENTS, browser_path
    from tests.pages.table import Who

    with site_with_world() as (world, url), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(BROWSER_ARGUMENTS))
        for who in Who:
            if who in world.clients:
                taken = list(take(browser, world, who, url, folder / who.name.lower(), wanted))
                sys.stdout.write(f"{who.name.lower()}: {len(taken)} pictures\n")
                for start in range(0, len(taken), ON_A_SHEET):
                    make_sheet(taken[start : start + ON_A_SHEET], folder / who.name.lower() / f"sheet-{start // ON_A_SHEET + 1}.png")


@contextmanager
def site_with_world() -> Iterator[tuple[Any, str]]:
    from django.test.utils import setup_test_environment
    from pytest_django.live_server_helper import LiveServer

    from marketplace.embedded import Lease
    from tests.databases import TestDatabases
    from tests.pages.world import make_world
    from tests.settings import SERVERS_STATE

    setup_test_environment()
    with Lease(SERVERS_STATE, durable=False) as servers:
        databases = TestDatabases(servers)
        databases.reset()
        server = LiveServer("localhost")
        yield make_world(), server.url
        server.stop()
        databases.drop()


def take(browser: Browser, world: Any, who: Any, url: str, folder: Path, wanted: list[str]) -> Iterator[Path]:
    """Pictures of what this person sees. A page that leads elsewhere stops everything."""
    from tests.pages.browsing import NARROW, WIDE, context_of, pages_of

    folder.mkdir(parents=True, exist_ok=True)
    rows = [row for row in pages_of(who) if not wanted or any(part in str(row) for part in wanted)]
    for language, width, window in (("en", 1280, WIDE), ("en", 390, NARROW), ("ar", 390, NARROW)):
        context = context_of(browser, world, who, url, language)
        tab = context.new_page()
        tab.set_viewport_size(window)  # type: ignore[arg-type]
        for row in rows:
            if language == "ar" and row.is_staff_page:
                continue
            address = row.address(world)
            response = tab.goto(url + address)
            assert response is not None
            assert (response.status, tab.url) == (200, url + address), f"{row}: {response.status} {tab.url}"
            path = folder / f"{str(row).replace(':', '-').replace(' ', '-')}-{width}{'-ar' if language == 'ar' else ''}.png"
            tab.screenshot(path=path, full_page=True)
            yield path
        context.close()


def make_sheet(pictures: list[Path], sheet: Path) -> None:
    """All pictures in small, each under its name; what is long is cut off."""
    width, height = THUMBNAIL
    rows = -(-len(pictures) // COLUMNS)
    board = Image.new("RGB", (COLUMNS * (width + 8), rows * (height + LABEL + 8)), "white")
    draw = ImageDraw.Draw(board)
    for number, path in enumerate(pictures):
        left, top = (number % COLUMNS) * (width + 8), (number // COLUMNS) * (height + LABEL + 8)
        draw.text((left, top + 2), path.stem[-48:], fill="black")
        with Image.open(path) as picture:
            shown = width if picture.width > NARROW_PIXELS else width // 2
            scaled = picture.resize((shown, max(1, round(picture.height * shown / picture.width))))
            board.paste(scaled.crop((0, 0, shown, min(height, scaled.height))), (left, top + LABEL))
    board.save(sheet)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
