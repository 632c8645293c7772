"""Timed work of the shop. Each task calls one action and decides nothing."""

from celery import shared_task

from orders.lifecycle.timers import advance_timers
from privacy.policy.roles import Actor


@shared_task(name="orders.advance_timers")
def advance_order_timers() -> dict[str, int]:
    return advance_timers(by=Actor.job("orders"))
