"""The beat's way to proposals that lapse (PROTECT-3)."""

from celery import shared_task

from privacy.access.approvals.actions import expire_proposals


@shared_task(name="privacy.approvals.expire")
def expire() -> None:
    expire_proposals()
