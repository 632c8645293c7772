"""Live evidence that the purges give (CHANGE-3, CHANGE-4)."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from privacy.policy.promises import Evidence, register_evidence
from privacy.retention.models import PurgeRun
from privacy.retention.queries import last_run

PURGED_WITHIN = timedelta(hours=30)


def register() -> None:
    register_evidence("CHANGE-3", last_purge, fresh_for=PURGED_WITHIN)
    register_evidence("CHANGE-4", books_after_the_last_purge, fresh_for=PURGED_WITHIN)


def last_purge() -> Evidence:
    run = last_run()
    if run is None or run.finished_at is None:
        return Evidence(None, _("No purge has run yet."))
    text = _("The last purge removed %(number)d rows.") % {"number": run.total}
    return Evidence(run.state == PurgeRun.State.DONE, text, run.finished_at)


def books_after_the_last_purge() -> Evidence:
    """The newest runs, so that an old fault that was looked into does not stay red for ever."""
    runs = PurgeRun.objects.filter(dry_run=False, finished_at__isnull=False).order_by("-finished_at")
    newest = list(runs.values_list("result", "finished_at")[:30])
    if not newest:
        return Evidence(None, _("No purge has run yet."))
    changed = sum(result == PurgeRun.Result.BROKEN for result, _at in newest)
    text = _("Money and stock were compared before and after the last %(all)d purges; they differed %(changed)d times.")
    return Evidence(not changed, text % {"all": len(newest), "changed": changed}, newest[0][1])
