"""The beat's way to erasures whose time to think again is over, to the ledger of them, and to the end of old keys (RIGHTS-3)."""

from celery import shared_task

from privacy.policy.roles import Actor
from privacy.rights.actions import start_due_erasures
from privacy.vault.ledger import copy_ledger
from privacy.vault.rotation import advance_epoch as advance


@shared_task(name="privacy.rights.start_due_erasures")
def begin_due() -> None:
    start_due_erasures()


@shared_task(name="privacy.rights.copy_erasure_ledger")
def copy_erasure_ledger() -> None:
    copy_ledger()


@shared_task(name="privacy.rights.advance_epoch")
def advance_epoch() -> None:
    advance(by=Actor.job("advance_epoch"))
