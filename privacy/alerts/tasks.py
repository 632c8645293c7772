"""The beat's way to what is watched (PROTECT-2)."""

from celery import shared_task

from privacy.alerts import floor_watch, key_change_watch, key_watch, log_watch, publication_watch, wall_watch


@shared_task(name="privacy.alerts.watch_keys")
def watch_keys() -> None:
    key_watch.watch_keys()


@shared_task(name="privacy.alerts.watch_wall")
def watch_wall() -> None:
    wall_watch.watch_wall()


@shared_task(name="privacy.alerts.watch_floor")
def watch_floor() -> None:
    floor_watch.watch_floor()
    key_change_watch.watch_key_changes()


@shared_task(name="privacy.alerts.watch_publications")
def watch_publications() -> None:
    publication_watch.watch_publications()


@shared_task(name="privacy.alerts.watch_log")
def watch_log() -> None:
    log_watch.watch_log()
