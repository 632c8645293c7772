"""Keeps USE-3: the beat's way to the log's two jobs."""

from celery import shared_task

from audit.actions import integrate_entries, verify_log


@shared_task(name="audit.integrate", ignore_result=True)
def integrate() -> None:
    integrate_entries()


@shared_task(name="audit.verify", ignore_result=True)
def verify() -> None:
    verify_log()
