"""Celery's way in: ids only (RIGHTS-7)."""

from uuid import UUID

from celery import shared_task

from privacy.jobs.actions import perform_job, sweep_jobs


@shared_task(name="privacy.jobs.perform", acks_late=True)
def perform(label: str, id: str) -> None:
    perform_job(label, UUID(id))


@shared_task(name="privacy.jobs.sweep")
def sweep() -> None:
    sweep_jobs()
