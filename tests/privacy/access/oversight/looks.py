"""Looks of staff as rows, at any moment."""

from datetime import timedelta

from django.utils import timezone

from audit.identifiers import first_uuid7
from privacy.access.models import Opening
from privacy.declarations.purposes import Purpose
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject


def look(by, subject=None, *, ago=timedelta(minutes=20), at=None, **how):
    """One look by this member of staff, without a reason: nothing is sealed. Its id is as old as it is."""
    at = at or timezone.now() - ago
    subject = subject or Subject.objects.create()
    id = first_uuid7(at).int | uuid7().int & (1 << 80) - 1
    return Opening.objects.create(
        **{
            "id": type(first_uuid7(at))(int=id),
            "subject_id": subject.pk,
            "actor_id": by.id,
            "role": by.role,
            "purpose": Purpose.ORDER,
            "categories": ["account"],
            "opened_at": at,
            **how,
        }
    )


def looks(number, by, **how):
    return [look(by, **how) for _ in range(number)]
