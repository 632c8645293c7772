"""Which cases an export can be about, as rooms register them, and whose they are (COLLECT-5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models
from django.utils.translation import gettext as _

from privacy.rights.cases import Case
from privacy.staff_exports.models import StaffExport

_labels: list[str] = []


def register_exportable(model: type[models.Model]) -> None:
    """Rows with a ``code`` that staff type and a ``subject``; people are exported by these, never by a search."""
    if model._meta.label_lower not in _labels:
        _labels.append(model._meta.label_lower)


def exportable_choices() -> list[tuple[str, Any]]:
    return [(label, apps.get_model(label)._meta.verbose_name_plural) for label in _labels]


def cases_with_codes(label: str, codes: Iterable[str]) -> dict[str, UUID]:
    """Ids by code; codes of nothing, and of cases without a person, are left out."""
    cases = _cases(label).filter(code__in=list(codes), subject__isnull=False)
    return dict(cases.values_list("code", "pk"))


def case_ids_with_code(code: str) -> list[UUID]:
    """Cases of any registered kind with this code, and the id itself where an id was given."""
    try:
        return [UUID(code)]
    except ValueError:
        return [id for label in _labels for id in _cases(label).filter(code=code.upper()).values_list("pk", flat=True)]


def people_of(label: str, ids: Iterable[str]) -> list[UUID]:
    """Whose cases these are, each person once, in a stable order."""
    return sorted(set(_cases(label).filter(pk__in=list(ids), subject__isnull=False).values_list("subject_id", flat=True)))


def people_in(export: StaffExport) -> list[UUID]:
    asked = export.proposal.parameters
    return people_of(asked["cases"], asked["ids"])


def describe_exports(subject_id: UUID, ids: set[UUID]) -> dict[UUID, Case]:
    """For the page on which people see who used their data; the reason stands beside it."""
    return {id: Case(_("an export that two of our staff decided")) for id in ids}


def _cases(label: str) -> models.QuerySet[Any]:
    if label not in _labels:
        raise LookupError(label)
    return apps.get_model(label)._base_manager.order_by()
