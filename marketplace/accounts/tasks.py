"""Celery's way in."""

from celery import shared_task

from marketplace.accounts.actions import warn_old_mailboxes


@shared_task(name="accounts.warn_old_mailboxes")
def warn() -> None:
    warn_old_mailboxes()
