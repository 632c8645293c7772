"""``manage.py purge_expired``: delete now what has expired, or show what would go (CHANGE-3)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy.jobs.actions import perform_job
from privacy.policy.roles import Actor
from privacy.retention.actions import start_purge
from privacy.retention.models import PurgeRun
from privacy.retention.queries import lines_of


class Command(BaseCommand):
    help = "Delete the records whose declared lifetime is over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="show what would go and delete nothing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        run = start_purge(by=Actor.job("purge_expired"), dry_run=options["dry_run"], at_once=False)
        perform_job(run._meta.label_lower, run.pk)
        run.refresh_from_db()
        if run.is_open:
            raise CommandError("Another process carries this purge out. Its numbers are in the staff pages.")
        self._print(run)
        if run.state == PurgeRun.State.FAILED:
            raise CommandError("The books differ after this purge. See the purge run in the staff pages.")

    def _print(self, run: PurgeRun) -> None:
        lines = lines_of(run)
        width = max((len(what) for what, _ in lines), default=0)
        for what, number in lines:
            self.stdout.write(f"{what:<{width}}  {number:>10,}")
        verb = "would go" if run.dry_run else "deleted"
        self.stdout.write(f"{run.total:,} rows {verb}.")
