"""The beat's way to the watch over staff (PROTECT-2, USE-3)."""

from celery import shared_task

from privacy.access.gate import unit_of_work
from privacy.access.oversight.drawing import draw_sample
from privacy.access.oversight.watching import watch_names, watch_uses
from privacy.alerts.actions import WATCH


@shared_task(name="privacy.access.watch_uses")
def watch_uses_of_data() -> None:
    watch_uses()


@shared_task(name="privacy.access.watch_names")
def watch_names_opened() -> None:
    watch_names()


@shared_task(name="privacy.access.draw_reviews")
def draw_reviews() -> int:
    with unit_of_work():
        return draw_sample(by=WATCH)
