"""What an entry was about, in words the person knows: an order, a request, a message, never an id (USE-3, RIGHTS-6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from audit.record import Reference
from privacy.rights.models import Request


@dataclass(frozen=True)
class Case:
    """The words, and the address of the person's own page about it, if there is one."""

    words: str
    address: str = ""


CaseWords = Callable[[UUID, set[UUID]], Mapping[UUID, Case]]

_words: dict[str, CaseWords] = {}


def register_case_words(label: str, describe: CaseWords) -> None:
    """``describe(subject_id, ids)`` gives words for those rows of the model ``label`` that are this person's, in one query."""
    _words[label] = describe


def cases_in_words(subject_id: UUID, references: Iterable[tuple[str, UUID | None]]) -> dict[Reference, Case]:
    """Words for all of these (label, id) pairs, in one query a label; what nobody can describe is left out."""
    ids: dict[str, set[UUID]] = {}
    for label, id in references:
        if id is not None and label in _words:
            ids.setdefault(label, set()).add(id)
    found = {label: _words[label](subject_id, of_label) for label, of_label in ids.items()}
    return {Reference(label, id): case for label, cases in found.items() for id, case in cases.items()}


def describe_requests(subject_id: UUID, ids: set[UUID]) -> dict[UUID, Case]:
    requests = Request.objects.filter(subject_id=subject_id, pk__in=ids)
    return {request.pk: Case(_("request %(code)s") % {"code": request.code}, request.get_absolute_url()) for request in requests}
