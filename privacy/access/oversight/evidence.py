"""Live evidence that staff are watched and reviewed (PROTECT-2, PROTECT-3)."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from privacy.access.oversight.models import OpeningWatch, Review
from privacy.access.oversight.queries import open_reviews, overdue_reviews
from privacy.alerts.queries import open_alerts
from privacy.policy.promises import Evidence, counted, register_evidence

WATCHED_WITHIN = timedelta(hours=1)  # it runs every ten minutes


def register() -> None:
    register_evidence("PROTECT-2", watch_of_looks, fresh_for=WATCHED_WITHIN)
    register_evidence("PROTECT-3", reviews_in_time)


def watch_of_looks() -> Evidence:
    """An open alert is the watch at work and no fault of it; a watch that stands still is one."""
    watch = OpeningWatch.objects.filter(part=OpeningWatch.Part.USES).first()
    if watch is None:
        return Evidence(None, _("What our staff open has not been compared with what is usual yet."))
    text = _("What our staff open is compared with what is usual, all the time. %(number)s alerts are being looked at.")
    return Evidence(True, text % {"number": counted(open_alerts())}, watch.watched_until)


def reviews_in_time() -> Evidence:
    late, waiting = overdue_reviews().count(), counted(open_reviews())
    done = counted(Review.objects.exclude(reviewed_at=None))
    text = _("%(done)s looks by staff were judged by somebody else, %(waiting)s wait for it, %(late)d of them too long.")
    is_anything_there = (done, waiting) != ("0", "0")
    return Evidence(not late if is_anything_there else None, text % {"done": done, "waiting": waiting, "late": late})
