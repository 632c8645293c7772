"""Fills the demo: ``--first-day`` what a visitor needs at once, otherwise the whole story."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.celery import app
from marketplace.demo.lifting import lifted_for_owner
from marketplace.demo.story import PolicyTooYoung, open_shop, tell_story


def _bring_up_to_today() -> None:
    """What the timetable would do within the hour, so that nothing looks late to whoever comes now."""
    for task in ("privacy.retention.purge", "audit.verify"):
        app.send_task(task)


class Command(BaseCommand):
    help = "Tell the demo's story as the owner of the database. Safe to repeat: it goes on where it stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--first-day", action="store_true", help="only the shop, its staff and the accounts to try")

    def handle(self, *args: Any, first_day: bool, **options: Any) -> None:
        try:
            with lifted_for_owner():
                if first_day:
                    open_shop(self._say)
                else:
                    tell_story(self._say)
                    _bring_up_to_today()
        except PolicyTooYoung:
            raise CommandError("This state was set up without the demo's past: remove it and start again.") from None

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
