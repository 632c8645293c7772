"""Keeps USE-3: the beat's way to the log's jobs."""

from celery import shared_task

from audit.actions import Job, Kind, integrate_entries, verify_all, verify_log
from audit.partitions import make_months, retire_months
from audit.publishing import publish_newest


@shared_task(name="audit.integrate", ignore_result=True)
def integrate() -> None:
    integrate_entries()


@shared_task(name="audit.verify", ignore_result=True)
def verify() -> None:
    verify_log(kind=Kind.SINCE_LAST)


@shared_task(name="audit.verify_all", ignore_result=True)
def verify_whole() -> None:
    verify_all()


@shared_task(name="audit.keep_months", ignore_result=True)
def keep_months() -> None:
    make_months()
    retire_months(by=Job("audit.keep_months"))


@shared_task(name="audit.publish", ignore_result=True)
def publish() -> None:
    publish_newest()
