"""Entries taken out of the log with their proofs, for an authority or a complaint: by two people, sealed, for a day (USE-3, COLLECT-5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.models import Entry
from audit.pages import count_up_to
from audit.proofs import write_bundle
from privacy.access.approvals.errors import PlanImpossible
from privacy.access.approvals.forms import ProposalForm
from privacy.access.approvals.kinds import Parameters, Plan, ProposalKind, register_proposal_kind
from privacy.access.approvals.models import Proposal
from privacy.declarations.purposes import Purpose
from privacy.log_search.forms import LogSearchForm
from privacy.log_search.searches import LogSearch, found_by
from privacy.policy.roles import Actor, Role
from privacy.staff_exports.actions import WATERMARK, note_extracted, watermark
from privacy.staff_exports.errors import TooMuch
from privacy.staff_exports.kinds import ExportKind, register_export_kind
from privacy.staff_exports.models import StaffExport
from privacy.vault.files import SealingWriter

LOG_BUNDLE = "log-bundle"
ENTRIES_AT_MOST = 10_000
TOO_MUCH = gettext_lazy("This search finds nothing, or more than a bundle holds: 10,000 entries, and as many people as an export.")
NO_BEGINNING = gettext_lazy("Say from which day on: these filters alone would read the whole log.")
FOR = (Purpose.LEGAL, Purpose.RIGHTS, Purpose.SECURITY)


class BundleForm(ProposalForm, LogSearchForm):
    """The search, as it stands in the address of its page, and what the bundle is for."""

    before = None  # type: ignore[assignment]
    after = None  # type: ignore[assignment]
    beyond = None  # type: ignore[assignment]
    use = forms.TypedChoiceField(label=gettext_lazy("The bundle is for"), coerce=Purpose, choices=[(use.value, use.label) for use in FOR])

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(actor, *args, **kwargs)
        self.order_fields([*LogSearchForm.base_fields, "use", "why"])

    def clean(self) -> Any:
        cleaned = super().clean()
        if not self.errors:
            if self.search.reads_everything:
                self.add_error("since", NO_BEGINNING)
                return cleaned
            try:
                plan_bundle(self.parameters())
            except PlanImpossible:
                self.add_error(None, TOO_MUCH)
        return cleaned

    def parameters(self) -> dict[str, Any]:
        return {
            "search": [f"{name}:{text}" for name, text in self.search.parameters.items()],
            "purpose": self.cleaned_data["use"].value,
            "categories": [],
            "before": f"{timezone.now():%Y-%m-%dT%H:%M:%S.%fZ}",
        }


def entries_of(parameters: Parameters) -> QuerySet[Entry]:
    """What the search had found when it was asked for, newest first."""
    search = LogSearch.of(dict(filter.split(":", 1) for filter in parameters["search"]))
    return found_by(search).filter(at__lt=datetime.fromisoformat(parameters["before"]))


def plan_bundle(parameters: Parameters) -> Plan:
    """How many entries about how many people go out. Raises PlanImpossible for none, and beyond the bounds of a bundle."""
    entries = entries_of(parameters)
    number = count_up_to(entries, ENTRIES_AT_MOST)
    if not 0 < number <= ENTRIES_AT_MOST or Purpose(parameters["purpose"]) not in FOR:
        raise PlanImpossible
    people = _people_in(entries)
    if len(people) > _most_people():
        raise PlanImpossible
    lines = [
        ngettext(
            "Writes %(number)d entry of the log into one file, for “%(use)s”, with its proof and the program that checks it.",
            "Writes %(number)d entries of the log into one file, for “%(use)s”, with their proofs and the program that checks them.",
            number,
        )
        % {"number": number, "use": Purpose(parameters["purpose"]).label},
        ngettext(
            "They are about %(number)d person, who reads on their page that it was made.",
            "They are about %(number)d people; each reads on their page that it was made.",
            len(people),
        )
        % {"number": len(people)},
        _("It holds random ids, no names. With it go the keys with which others can check these people's entries."),
        _("Only whoever asked can download it, with their password, for 24 hours; then it is deleted. Each download is logged."),
    ]
    return Plan(lines, {"people": sorted(map(str, people)), "entries": number}, people=len(people), rows=number)


def start_bundle(proposal: Proposal) -> Mapping[str, int]:
    """The performance of an approved bundle: a job makes the file."""
    StaffExport(proposal=proposal).enqueue()
    return {"entries": count_up_to(entries_of(proposal.parameters), ENTRIES_AT_MOST)}


@transaction.atomic
def write_log_bundle(export: StaffExport, writer: SealingWriter) -> None:
    """The entries and the people in them, each of whom is told on their page. Raises TooMuch."""
    entries = entries_of(export.proposal.parameters)
    export.rows = count_up_to(entries, ENTRIES_AT_MOST)
    export.subject_ids = sorted(_people_in(entries))
    if export.rows > ENTRIES_AT_MOST or len(export.subject_ids) > _most_people():
        raise TooMuch
    for subject_id in export.subject_ids:
        note_extracted(export, subject_id)
    lines = [f"{name}: {value}" for name, value in zip(WATERMARK, watermark(export), strict=True)]
    write_bundle(writer, entries.iterator(chunk_size=500), {"EXPORT.txt": "\n".join(lines) + "\n"})  # type: ignore[arg-type]


def _people_in(entries: QuerySet[Entry]) -> set[UUID]:
    """Whom these entries are about; one more than a bundle takes where there are more."""
    people = entries.order_by().filter(subject_id__isnull=False).values_list("subject_id", flat=True).distinct()
    return {id for id in people[: _most_people() + 1] if id}


def _address_of(parameters: Parameters) -> str:
    return reverse("admin:audit_entry_changelist", query=dict(filter.split(":", 1) for filter in parameters["search"]))


def _most_people() -> int:
    return settings.STAFF_EXPORT_PEOPLE


def register_all() -> None:
    register_proposal_kind(
        ProposalKind(
            name=LOG_BUNDLE,
            label=gettext_lazy("Take entries out of the log"),
            does=gettext_lazy(
                "One file with chosen entries and their proofs, for an authority or a complaint. Each person in it reads of it."
            ),
            proposers=frozenset({Role.PRIVACY_OFFICER, Role.SECURITY}),
            approvers=frozenset({Role.PRIVACY_OFFICER, Role.SECURITY, Role.ADMINISTRATOR}),
            describe=plan_bundle,
            perform=start_bundle,
            results={"entries": gettext_lazy("entries in it")},
            form=BundleForm,
            looks_at=lambda parameters: [(gettext_lazy("The entries that this search finds"), _address_of(parameters))],
            made=lambda proposal: StaffExport.objects.filter(proposal=proposal).first(),
        )
    )
    register_export_kind(LOG_BUNDLE, ExportKind(write_log_bundle, "zip", "application/zip"))
