"""The beat's way to erasures whose time to think again is over, and to the ledger of them (RIGHTS-3)."""

from celery import shared_task

from privacy.rights.actions import start_due_erasures
from privacy.vault.ledger import copy_ledger


@shared_task(name="privacy.rights.start_due_erasures")
def begin_due() -> None:
    start_due_erasures()


@shared_task(name="privacy.rights.copy_erasure_ledger")
def copy_erasure_ledger() -> None:
    copy_ledger()
