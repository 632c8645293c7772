"""Live evidence that the gate and the log can give (PROTECT-3, USE-1, USE-2, USE-3)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import Event
from audit.models import Entry
from audit.queries import VERIFIED_WITHIN, log_health
from privacy.access.errors import CategoryDenied, GroundMissing, OtherSubject, RoleDenied
from privacy.access.models import Opening
from privacy.policy.promises import COUNTED_AT_MOST, Evidence, counted, register_evidence

LATELY = timedelta(days=1)


def register() -> None:
    register_evidence("PROTECT-3", looks_by_staff)
    register_evidence("USE-1", openings_and_refusals)
    register_evidence("USE-2", refusals_of_too_much)
    register_evidence("USE-3", state_of_the_log, fresh_for=VERIFIED_WITHIN)


def _latest() -> Counter[tuple[str, str]]:
    """How often each event had each outcome among the entries of the last day, at most COUNTED_AT_MOST of them."""
    recent = Entry.objects.filter(at__gte=timezone.now() - LATELY).order_by("-at")
    return Counter(recent.values_list("event", "outcome")[:COUNTED_AT_MOST])


def looks_by_staff() -> Evidence:
    number = counted(Opening.objects.all())
    text = _("%(number)s looks by staff are on record, each with its reason.") % {"number": number}
    return Evidence(None if number == "0" else True, text)


def openings_and_refusals() -> Evidence:
    found = _latest()
    opened = sum(number for (event, _outcome), number in found.items() if event == Event.DATA_OPENED)
    refused = sum(number for (event, _outcome), number in found.items() if event == Event.DATA_REFUSED)
    if not opened + refused:
        return Evidence(None, _("Nothing was opened in the last 24 hours."))
    text = _("In the last 24 hours %(opened)d openings were allowed and %(refused)d refused.")
    return Evidence(True, text % {"opened": opened, "refused": refused})


def refusals_of_too_much() -> Evidence:
    too_much = {refusal.code for refusal in (CategoryDenied, GroundMissing, OtherSubject, RoleDenied)}
    refused = sum(number for (event, outcome), number in _latest().items() if event == Event.DATA_REFUSED and outcome in too_much)
    text = _("In the last 24 hours %(number)d attempts to open more than a purpose allows were refused.")
    return Evidence(None if not refused else True, text % {"number": refused})


def state_of_the_log() -> Evidence:
    health = log_health()
    verified = health.verification
    numbers = {"entries": health.entries, "waiting": health.waiting}
    text = _("%(entries)d entries are bound into the signed log, %(waiting)d wait for it.") % numbers
    if verified is None:
        return Evidence(None if health.ok else False, f"{text} {_('It has not been verified yet.')}")
    words = _("It holds.") if health.holds else _("It does not hold.")
    return Evidence(health.ok, f"{text} {words}", verified.finished_at)
