"""The beat's way to tickets whose time has come (RIGHTS-5)."""

from celery import shared_task

from privacy.complaints.timers import advance_timers
from privacy.policy.roles import Actor


@shared_task(name="privacy.complaints.advance_timers")
def advance_ticket_timers() -> dict[str, int]:
    return advance_timers(by=Actor.job("tickets"))
