"""The beat's way to exports whose day is over (COLLECT-5)."""

from celery import shared_task

from privacy.staff_exports.actions import expire_exports


@shared_task(name="privacy.staff_exports.expire")
def expire_files() -> None:
    expire_exports()
