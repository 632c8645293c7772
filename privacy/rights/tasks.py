"""The beat's way to erasures whose time to think again is over (RIGHTS-3)."""

from celery import shared_task

from privacy.rights.actions import start_due_erasures


@shared_task(name="privacy.rights.start_due_erasures")
def begin_due() -> None:
    start_due_erasures()
