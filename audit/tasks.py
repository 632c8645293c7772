"""Keeps USE-3: the beat's way to the log's jobs."""

from celery import shared_task

from audit.actions import Kind, integrate_entries, verify_all, verify_log


@shared_task(name="audit.integrate", ignore_result=True)
def integrate() -> None:
    integrate_entries()


@shared_task(name="audit.verify", ignore_result=True)
def verify() -> None:
    verify_log(kind=Kind.SINCE_LAST)


@shared_task(name="audit.verify_all", ignore_result=True)
def verify_whole() -> None:
    verify_all()
