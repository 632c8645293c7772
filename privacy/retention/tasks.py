"""The beat's way to a purge (CHANGE-3)."""

from celery import shared_task

from privacy.policy.roles import Actor
from privacy.retention.actions import start_purge


@shared_task(name="privacy.retention.purge")
def purge() -> None:
    start_purge(by=Actor.job("purge"))
