"""What the person's own pages show (RIGHTS-1, RIGHTS-6)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from privacy.access.gate import Grant
from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.tables import kept_for
from privacy.retention.walker import (
    Holding,
    Leaving,
    Model,
    fields_in,
    holdings,
    is_kept,
    items_of,
    leavings,
    models_in,
    next_leaving,
    records_in,
)
from privacy.rights.models import ExportJob, ReceiptLink, Request
from privacy.rights.tables import kept_words
from privacy.sharing.models import Disclosure
from privacy.vault.records import PersonalRecord

RECORDS_A_PAGE = 20
UPCOMING = 12


def people_with_open_request(subject_ids: Iterable[UUID]) -> set[UUID]:
    """Those who have asked for something that we still work on, or whose copy still waits for them."""
    ids = list(subject_ids)
    asked = Request.objects.filter(subject_id__in=ids, state__in=Request.OPEN).values_list("subject_id", flat=True)
    waiting = ExportJob.objects.exclude(file="").filter(request__subject_id__in=ids, expires_at__gt=timezone.now())
    return set(asked) | set(waiting.values_list("request__subject_id", flat=True))


def requests_of(subject_id: UUID) -> QuerySet[Request]:
    return Request.objects.filter(subject_id=subject_id).order_by("-made_at")


def open_requests() -> QuerySet[Request]:
    """Those of everybody that are not answered yet."""
    return Request.objects.filter(state__in=Request.OPEN)


def overdue_requests() -> QuerySet[Request]:
    """Open ones past the day by which the law wants them answered."""
    return open_requests().filter(due_at__lt=timezone.now())


def open_request(subject_id: UUID, kind: Request.Kind) -> Request | None:
    return Request.objects.filter(subject_id=subject_id, kind=kind, state__in=Request.OPEN).first()


def copy_waiting(subject_id: UUID) -> ExportJob | None:
    """A finished copy that can still be downloaded."""
    jobs = ExportJob.objects.exclude(file="").filter(request__subject_id=subject_id, expires_at__gt=timezone.now())
    return jobs.select_related("request").order_by("-expires_at").first()


def request_by_receipt_token(token: str) -> Request | None:
    """The erasure whose receipt a mailed link shows, while the link works."""
    digest = hashlib.sha256(token.encode()).digest()
    link = ReceiptLink.objects.filter(digest=digest, expires_at__gt=timezone.now()).select_related("request").first()
    return link.request if link else None


@dataclass(frozen=True)
class Card:
    """One category at a glance."""

    category: Category
    values: int
    purposes: list[str]
    recipients: list[str]
    next_leaving: datetime | None
    waits_for: list[str]


def cards_of(subject_id: UUID) -> list[Card]:
    """All five, in one query a model and one for the recipients."""
    held, recipients = holdings(subject_id), recipients_of(subject_id)
    return [_card(category, held, recipients.get(category, [])) for category in Category]


def _card(category: Category, held: Sequence[Holding], recipients: list[Received]) -> Card:
    here = [holding for holding in held if holding.values.get(category)]
    purposes = [purpose for holding in here for purpose in holding.model.lifetime.purposes]
    return Card(
        category=category,
        values=sum(holding.values[category] for holding in here),
        purposes=[str(purpose.label) for purpose in dict.fromkeys(purposes)],
        recipients=list(dict.fromkeys(received.recipient for received in recipients)),
        next_leaving=next_leaving(here, category),
        waits_for=[str(words) for words in dict.fromkeys(h.model.lifetime.until for h in here if h.waiting) if words],
    )


@dataclass(frozen=True)
class Received:
    """What one recipient received, last when."""

    recipient: str
    purpose: str
    last_at: datetime


def recipients_of(subject_id: UUID) -> dict[Category, list[Received]]:
    """Who received which category, what for, in one query."""
    rows = (
        Disclosure.objects.filter(subject_id=subject_id)
        .values("recipient__name", "purpose", "categories")
        .annotate(last_at=Max("at"))
        .order_by("-last_at")
    )
    found: dict[Category, dict[tuple[str, str], Received]] = {category: {} for category in Category}
    for row in rows:
        received = Received(row["recipient__name"], str(Purpose(row["purpose"]).label), row["last_at"])
        for name in row["categories"]:
            found[Category(name)].setdefault((received.recipient, received.purpose), received)
    return {category: list(several.values()) for category, several in found.items()}


def timeline_of(subject_id: UUID) -> tuple[list[dict[str, Any]], int]:
    """The next days on which something goes, as steps for the time line, and how many later ones there are."""
    found = leavings(subject_id)
    steps = [
        {
            "at": leaving.on,
            "when": "" if leaving.on else _("Later"),
            "title": f"{leaving.records} × {leaving.model._meta.verbose_name}",
            "text": _text(leaving),
            "state": "ahead",
        }
        for leaving in found
    ]
    return steps[:UPCOMING], max(len(steps) - UPCOMING, 0)


def _text(leaving: Leaving) -> str:
    """Why it is not known when, or why it takes so long; a known day near enough explains itself."""
    if is_kept(leaving.model):
        return str(kept_words(leaving.model))
    return _("Keep until: %(words)s") % {"words": kept_words(leaving.model)} if leaving.on is None else ""


@dataclass(frozen=True)
class OpenedItem:
    """One value as the person reads it; ``is_readable`` is False for what is damaged or gone."""

    label: str
    value: str
    is_readable: bool


@dataclass(frozen=True)
class RecordCard:
    """One record of one category on the person's page."""

    title: str
    belongs_to: str
    items: list[OpenedItem]
    purposes: list[Purpose]
    leaves_at: datetime | None
    waits_for: str
    law: str
    law_words: str

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(str(purpose.label), str(PURPOSES[purpose].explanation)) for purpose in self.purposes]


class RecordSequence(Sequence[PersonalRecord]):
    """One person's records of one category as one long list over several models, read a slice at a time."""

    def __init__(self, subject_id: UUID, category: Category) -> None:
        self._parts = [records_in(model, subject_id).reverse() for model in models_in(category)]
        self._lengths = [records.count() for records in self._parts]

    def __len__(self) -> int:
        return sum(self._lengths)

    def __getitem__(self, wanted: Any) -> Any:
        first, last = wanted.start or 0, wanted.stop
        found: list[PersonalRecord] = []
        before = 0
        for records, length in zip(self._parts, self._lengths, strict=True):
            start, stop = max(first - before, 0), min(last - before, length)
            if start < stop:
                found += records[start:stop]
            before += length
        return found


def records_page(subject_id: UUID, category: Category, number: str) -> Page:
    """A page of sealed records; the number of queries depends on the models alone."""
    return Paginator(RecordSequence(subject_id, category), RECORDS_A_PAGE).get_page(number)


def opened_cards(records: Iterable[PersonalRecord], category: Category, grant: Grant) -> list[RecordCard]:
    """The page's records with their values opened under the person's own grant."""
    records = list(records)
    grant.load(records)
    return [_record_card(record, category, grant) for record in records]


def _record_card(record: PersonalRecord, category: Category, grant: Grant) -> RecordCard:
    model: Model = type(record)
    floor = model.lifetime.floor
    return RecordCard(
        title=str(model._meta.verbose_name),
        belongs_to=str(record.describe()),
        items=[_opened_item(item.field, item.value, grant) for item in items_of(record, category)],
        purposes=[Purpose(purpose) for purpose in model.lifetime.purposes],
        leaves_at=model.lifetime.leaves_at(record),
        waits_for=str(model.lifetime.until or kept_for(model.lifetime)),
        law=floor.citation if floor else "",
        law_words=str(floor.explanation) if floor else "",
    )


def _opened_item(field: Any, value: Any, grant: Grant) -> OpenedItem:
    text = grant.read(value)
    return OpenedItem(str(field.verbose_name), text or "", is_readable=text is not None)


def labels_of(model: Model, category: Category) -> str:
    """The fields of a model in one category, in words."""
    return ", ".join(str(field.verbose_name) for field in fields_in(model, category))
