"""What the person's own pages show (RIGHTS-1, RIGHTS-6)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Max, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.events import Event
from audit.models import Entry
from privacy.access.cases import CaseState
from privacy.access.gate import Grant
from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Actor, Role
from privacy.policy.tables import kept_for
from privacy.retention.walker import (
    Holding,
    Model,
    fields_in,
    holdings,
    items_of,
    models_in,
    next_leaving,
    record_models,
    records_in,
)
from privacy.rights.correctable import decided_fields
from privacy.rights.models import ExportJob, ReceiptLink, Request, RequestDetail
from privacy.sharing.models import Disclosure
from privacy.vault.records import PersonalRecord

RECORDS_A_PAGE = 20
CASES_AT_MOST = 5
ANSWER_TEMPLATE = "rights-decided"
OFFICERS = frozenset({Role.PRIVACY_OFFICER})


def people_with_open_request(subject_ids: Iterable[UUID]) -> set[UUID]:
    """Those who have asked for something that we still work on, whose copy waits for them, or our answer's mail for us."""
    ids = list(subject_ids)
    asked = Request.objects.filter(subject_id__in=ids, state__in=Request.OPEN).values_list("subject_id", flat=True)
    waiting = ExportJob.objects.exclude(file="").filter(request__subject_id__in=ids, expires_at__gt=timezone.now())
    answers = OutboundMail.objects.filter(subject_id__in=ids, template=ANSWER_TEMPLATE, state__in=OutboundMail.OPEN)
    answered = answers.values_list("subject_id", flat=True)
    return set(asked) | set(waiting.values_list("request__subject_id", flat=True)) | set(answered)


def requests_of(subject_id: UUID) -> QuerySet[Request]:
    return Request.objects.filter(subject_id=subject_id).order_by("-made_at")


def open_requests() -> QuerySet[Request]:
    """Those of everybody that are not answered yet."""
    return Request.objects.filter(state__in=Request.OPEN)


def overdue_requests() -> QuerySet[Request]:
    """Open ones past the day by which the law wants them answered."""
    return open_requests().filter(due_at__lt=timezone.now())


def request_state(request_id: UUID, actor: Actor) -> CaseState | None:
    """A request as the gate asks for it: the privacy officers' until it is answered, and one officer's once somebody has it."""
    request = Request.objects.filter(pk=request_id).first()
    if request is None:
        return None
    return CaseState(
        subject_ids=frozenset({request.subject_id}),
        roles=OFFICERS,
        open_to=OFFICERS if request.is_open else frozenset(),
        assigned_to=request.assigned_to_id,
        ended_at=request.completed_at,
    )


def open_requests_for(actor: Actor, subject_id: UUID) -> list[tuple[UUID, str]]:
    """The person's requests that this member of staff may work on, newest first, in words."""
    if actor.role not in OFFICERS:
        return []
    free = Q(assigned_to=None) | Q(assigned_to=actor.id)
    found = requests_of(subject_id).filter(free, state__in=Request.OPEN)
    return [(id, _("request %(code)s") % {"code": code}) for id, code in found.values_list("pk", "code")[:CASES_AT_MOST]]


def open_request(subject_id: UUID, kind: Request.Kind, topic: str = "") -> Request | None:
    return Request.objects.filter(subject_id=subject_id, kind=kind, topic=topic, state__in=Request.OPEN).first()


def detail_of(request: Request) -> RequestDetail | None:
    """What was proposed or objected, and the answer; None for the other kinds, and once it is gone."""
    return RequestDetail.objects.filter(subject_id=request.subject_id, request=request).first()


STEPS: dict[str, Promise] = {
    Event.REQUEST_MADE: gettext_lazy("Received"),
    Event.REQUEST_STARTED: gettext_lazy("Work began"),
    Event.REQUEST_TAKEN: gettext_lazy("One of us is working on it."),
    Event.REQUEST_RELEASED: gettext_lazy("It was given back to the team."),
    Event.REQUEST_COMPLETED: gettext_lazy("Answered"),
    Event.REQUEST_CANCELED: gettext_lazy("Canceled"),
    Event.REQUEST_FAILED: gettext_lazy("Work failed"),
    Event.RESTRICTION_BEGUN: gettext_lazy("Frozen"),
    Event.RESTRICTION_LIFTED: gettext_lazy("Lifted by the person"),
    Event.EXPORT_DOWNLOADED: gettext_lazy("Copy downloaded"),
    Event.EXPORT_EXPIRED: gettext_lazy("File deleted"),
}


def steps_of(request: Request) -> list[dict[str, Any]]:
    """What happened to a request, from the log, and the day by which it must be answered while it is open."""
    entries = Entry.objects.filter(subject_id=request.subject_id, object_id=request.pk, event__in=list(STEPS)).order_by("at")
    steps: list[dict[str, Any]] = [{"at": entry.at, "title": STEPS[entry.event], "state": "done"} for entry in entries]
    if request.is_open:
        steps.append({"at": request.due_at, "title": _("Answer due"), "state": "bad" if request.is_overdue else "ahead"})
    return steps


def copy_waiting(subject_id: UUID) -> ExportJob | None:
    """A finished copy that can still be downloaded."""
    jobs = ExportJob.objects.exclude(file="").filter(request__subject_id=subject_id, expires_at__gt=timezone.now())
    return jobs.select_related("request").order_by("-expires_at").first()


def person_of_receipt(token: str) -> UUID | None:
    """Whose erasure a mailed link shows; asked at the gate, which knows no more of it."""
    return _receipt_links(token).values_list("request__subject_id", flat=True).first()


def request_by_receipt_token(token: str) -> Request | None:
    """The erasure whose receipt a mailed link shows, while the link works."""
    link = _receipt_links(token).select_related("request").first()
    return link.request if link else None


def _receipt_links(token: str) -> QuerySet[ReceiptLink]:
    digest = hashlib.sha256(token.encode()).digest()
    return ReceiptLink.objects.filter(digest=digest, expires_at__gt=timezone.now())


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
    correct_at: str

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(str(purpose.label), str(PURPOSES[purpose].explanation)) for purpose in self.purposes]


class RecordSequence(Sequence[PersonalRecord]):
    """One person's records of several models as one long list, newest of each first, read a slice at a time."""

    def __init__(self, subject_id: UUID, models: Iterable[Model]) -> None:
        self._parts = [records_in(model, subject_id).reverse() for model in models]
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
    return Paginator(RecordSequence(subject_id, models_in(category)), RECORDS_A_PAGE).get_page(number)


def correctable_page(subject_id: UUID, number: str) -> Page:
    """A page of the sealed records that have fields whose correction somebody decides."""
    models = [model for model in record_models() if decided_fields(model)]
    return Paginator(RecordSequence(subject_id, models), RECORDS_A_PAGE).get_page(number)


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
        correct_at=reverse("privacy:correct-record", args=[record.pk]) if _is_corrected_by_request(model, category) else "",
    )


def _is_corrected_by_request(model: Model, category: Category) -> bool:
    return any(field.category == category for field in decided_fields(model))


def _opened_item(field: Any, value: Any, grant: Grant) -> OpenedItem:
    text = grant.read(value)
    return OpenedItem(str(field.verbose_name), text or "", is_readable=text is not None)


def labels_of(model: Model, category: Category) -> str:
    """The fields of a model in one category, in words."""
    return ", ".join(str(field.verbose_name) for field in fields_in(model, category))
