"""The beat's way to what is watched (PROTECT-2)."""

from celery import shared_task

from privacy.alerts import key_watch, wall_watch


@shared_task(name="privacy.alerts.watch_keys")
def watch_keys() -> None:
    key_watch.watch_keys()


@shared_task(name="privacy.alerts.watch_wall")
def watch_wall() -> None:
    wall_watch.watch_wall()
