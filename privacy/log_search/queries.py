"""Who reads the log, and which searches they keep (USE-3)."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from audit.admin import READERS as LOG_READERS
from privacy.log_search.models import KeptSearch
from privacy.policy.roles import Role

READERS = frozenset(Role(role) for role in LOG_READERS)


def kept_by(owner_id: UUID) -> QuerySet[KeptSearch]:
    """In the order of their names."""
    return KeptSearch.objects.filter(owner_id=owner_id).order_by("name")
