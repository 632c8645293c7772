"""What the runs did (CHANGE-3)."""

from __future__ import annotations

from django.apps import apps

from privacy.retention.models import PurgeRun


def last_run() -> PurgeRun | None:
    """The newest real run that has ended."""
    return PurgeRun.objects.filter(dry_run=False, finished_at__isnull=False).order_by("-finished_at").first()


def lines_of(run: PurgeRun) -> list[tuple[str, int]]:
    """(what, how many) in words, for the table of a run."""
    return [(_words(name), number) for name, number in sorted(run.counts.items())]


def _words(name: str) -> str:
    app, dot, model = name.partition(".")
    return str(apps.get_model(app, model)._meta.verbose_name_plural) if dot else name
