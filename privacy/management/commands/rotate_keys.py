"""``manage.py rotate_keys``: lock all keys of people anew, or give people new keys, while the site runs (PROTECT-1)."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from privacy.policy.roles import Actor
from privacy.vault.errors import VaultUnavailable
from privacy.vault.rotation import due_people, renew_keys, rewrap_keys, unfinished_people

ROTATOR = Actor.job("rotate_keys")
ADVICE = "Make a backup of the data and of the keys now: older backups of the one do not fit newer ones of the other."


class Command(BaseCommand):
    help = (
        "Lock the keys of people with the current key-encryption key; their data is not touched. With --subject or "
        "--older-than, give people new keys and seal their data anew. Safe to stop and to repeat at any moment."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        people = parser.add_mutually_exclusive_group()
        people.add_argument("--subject", type=UUID, metavar="ID", help="new keys for this person")
        people.add_argument(
            "--older-than",
            type=int,
            nargs="?",
            const=settings.DATA_KEY_LASTS.days,
            metavar="DAYS",
            help=f"new keys for everybody whose keys are older (default: {settings.DATA_KEY_LASTS.days} days)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["subject"]:
                self._renew_one(options["subject"])
            elif options["older_than"] is not None:
                self._renew_old(options["older_than"])
            else:
                self._rewrap()
        except VaultUnavailable as error:
            raise CommandError(f"Stopped: {error}. Nothing is lost; run it again.") from error

    def _rewrap(self) -> None:
        number = rewrap_keys(by=ROTATOR, say=self.stdout.write)
        self.stdout.write(f"{number:,} keys are locked with the current version.")

    def _renew_one(self, subject_id: UUID) -> None:
        self._say_renewed(renew_keys([subject_id], by=ROTATOR, say=self.stdout.write))

    def _renew_old(self, days: int) -> None:
        """What an earlier run left is finished first."""
        before = timezone.now() - timedelta(days=days)
        done = 0
        while finished := renew_keys(unfinished_people(), by=ROTATOR, before=before, say=self.stdout.write):
            done += finished
        done += sum(renew_keys(group, by=ROTATOR, before=before, say=self.stdout.write) for group in due_people(before))
        self._say_renewed(done)

    def _say_renewed(self, people: int) -> None:
        self.stdout.write(f"{people:,} people have new keys.")
        if people:
            self.stdout.write(ADVICE)
