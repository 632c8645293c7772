"""The beat's way to erasures whose time to think again is over, to the ledger of them, and to the end of old keys (RIGHTS-3)."""

from celery import shared_task

from privacy.policy.roles import Actor
from privacy.rights.actions import start_due_erasures
from privacy.vault import clearing, rotation
from privacy.vault.ledger import copy_ledger


@shared_task(name="privacy.rights.start_due_erasures")
def begin_due() -> None:
    start_due_erasures()


@shared_task(name="privacy.rights.copy_erasure_ledger")
def copy_erasure_ledger() -> None:
    copy_ledger()


@shared_task(name="privacy.rights.advance_epoch")
def advance_epoch() -> None:
    rotation.advance_epoch(by=Actor.job("advance_epoch"))
    clearing.clear_deleted_keys(whatever_size=True)
    clearing.renew_log()


@shared_task(name="privacy.rights.clear_deleted_keys")
def clear_deleted_keys() -> None:
    clearing.clear_deleted_keys()


@shared_task(name="privacy.rights.finish_renewals")
def finish_renewals() -> None:
    rotation.finish_renewals(by=Actor.job("finish_renewals"))
