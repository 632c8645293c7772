"""What is known about a person beside sealed values: decisions, disclosures, uses, requests (RIGHTS-1, RIGHTS-6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.consent.queries import history_of
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.mail.models import OutboundMail
from privacy.rights.correctable import about_words
from privacy.rights.models import Request, Restriction
from privacy.rights.uses import in_words, uses_of
from privacy.sharing.models import Approval
from privacy.sharing.queries import disclosures_about, follow_ups_about

Row = Mapping[str, Any]
Text = str | Promise


@dataclass(frozen=True)
class Column:
    """One documented column. ``kind`` is ``string``, ``datetime``, ``date``, ``integer`` or ``boolean``."""

    name: str
    title: Text
    about: Text = ""
    kind: str = "string"


@dataclass(frozen=True)
class Section:
    """A table of clear rows about one person, the same on pages and in a copy; ``rows`` may be asked repeatedly."""

    name: str
    title: Text
    about: Text
    columns: tuple[Column, ...]
    rows: Callable[[UUID], Iterable[Row]]


_sections: dict[str, Section] = {}


def register_section(section: Section) -> None:
    """Add a table to every copy. Its name becomes a file name: letters and ``_``."""
    _sections[section.name] = section


def sections() -> list[Section]:
    return list(_sections.values())


def _permissions(subject_id: UUID) -> Iterable[Row]:
    for entry in history_of(subject_id):
        yield {
            "at": entry.at,
            "purpose": Purpose(entry.purpose).label,
            "decision": entry.get_decision_display(),
            "words": entry.statement.text,
            "policy_version": entry.statement.policy.number,
        }


def _disclosures(subject_id: UUID) -> Iterable[Row]:
    for disclosure in disclosures_about(subject_id).iterator(chunk_size=500):
        yield {
            "at": disclosure.at,
            "recipient": disclosure.recipient.name,
            "purpose": Purpose(disclosure.purpose).label,
            "categories": ", ".join(str(Category(name).label) for name in disclosure.categories),
            "fields": ", ".join(disclosure.fields),
        }


def _uses(subject_id: UUID) -> Iterable[Row]:
    for entry in uses_of(subject_id).iterator(chunk_size=500):
        use = in_words(entry)
        yield {
            "at": use.at,
            "who": use.who,
            "did": use.did,
            "why": use.why,
            "categories": use.categories,
            "entry": str(entry.pk),
        }


def _requests(subject_id: UUID) -> Iterable[Row]:
    for request in Request.objects.filter(subject_id=subject_id).order_by("made_at"):
        yield {
            "code": request.code,
            "kind": request.get_kind_display(),
            "about": about_words(request),
            "state": request.get_state_display(),
            "made_at": request.made_at,
            "due_at": request.due_at,
            "completed_at": request.completed_at,
        }


def _restrictions(subject_id: UUID) -> Iterable[Row]:
    for restriction in Restriction.objects.filter(subject_id=subject_id).select_related("request").order_by("began_at"):
        frozen = ", ".join(str(Category(name).label) for name in restriction.categories)
        yield {
            "code": restriction.request.code,
            "what": frozen or restriction.get_purpose_display(),
            "began_at": restriction.began_at,
            "ended_at": restriction.ended_at,
        }


def _approvals(subject_id: UUID) -> Iterable[Row]:
    for approval in Approval.objects.filter(subject_id=subject_id).select_related("recipient").order_by("id"):
        yield {
            "at": approval.at,
            "recipient": approval.recipient.name,
            "purpose": approval.get_purpose_display(),
            "is_given": approval.is_given,
        }


def _follow_ups(subject_id: UUID) -> Iterable[Row]:
    for follow_up in follow_ups_about(subject_id):
        yield {
            "recipient": follow_up.recipient.name,
            "kind": follow_up.get_kind_display(),
            "asked_at": follow_up.asked_at,
            "confirmed_at": follow_up.confirmed_at,
        }


def _mails(subject_id: UUID) -> Iterable[Row]:
    for mail in OutboundMail.objects.filter(subject_id=subject_id).order_by("queued_at"):
        yield {
            "mail": mail.template,
            "queued_at": mail.queued_at,
            "sent_at": mail.sent_at,
        }


def _moment(name: str, title: Text, about: Text = "") -> Column:
    return Column(name, title, about, "datetime")


def register_own_sections() -> None:
    """The tables that privacy itself keeps."""
    register_section(
        Section(
            "permissions",
            _("Permissions you gave or withdrew"),
            _("Each decision, with the exact words that you were shown."),
            (
                _moment("at", _("When")),
                Column("purpose", _("What for")),
                Column("decision", _("Decision")),
                Column("words", _("Words shown")),
                Column("policy_version", _("Policy version"), kind="integer"),
            ),
            _permissions,
        )
    )
    register_section(
        Section(
            "disclosures",
            _("Who received your data"),
            _("What we passed on, to whom and why. The names of the fields are listed, not their contents."),
            (
                _moment("at", _("When")),
                Column("recipient", _("Recipient")),
                Column("purpose", _("What for")),
                Column("categories", _("Kinds of data")),
                Column("fields", _("Fields"), _("Technical names, as in fields.json.")),
            ),
            _disclosures,
        )
    )
    register_section(
        Section(
            "uses",
            _("Who used your data"),
            _("Each time something of yours was read, written, corrected, passed on or deleted."),
            (
                _moment("at", _("When")),
                Column("who", _("Who")),
                Column("did", _("Did what")),
                Column("why", _("What for")),
                Column("categories", _("Kinds of data")),
                Column("entry", _("Log entry"), _("Random number of the entry in our log.")),
            ),
            _uses,
        )
    )
    register_section(
        Section(
            "requests",
            _("Your requests"),
            _("What you asked of us about your data."),
            (
                Column("code", _("Reference")),
                Column("kind", _("What")),
                Column("about", _("About")),
                Column("state", _("State")),
                _moment("made_at", _("Received")),
                _moment("due_at", _("To be answered by")),
                _moment("completed_at", _("Ended")),
            ),
            _requests,
        )
    )
    register_section(
        Section(
            "restrictions",
            _("What you froze or objected to"),
            _("While it holds we only store the data, or leave that use alone."),
            (
                Column("code", _("Reference")),
                Column("what", _("What")),
                _moment("began_at", _("From")),
                _moment("ended_at", _("Until"), _("Empty while it holds.")),
            ),
            _restrictions,
        )
    )
    register_section(
        Section(
            "approvals",
            _("Recipients you approved or refused"),
            _("Each decision about a recipient that needs your yes."),
            (
                _moment("at", _("When")),
                Column("recipient", _("Recipient")),
                Column("purpose", _("What for")),
                Column("is_given", _("Approved"), kind="boolean"),
            ),
            _approvals,
        )
    )
    register_section(
        Section(
            "follow_ups",
            _("Recipients we told to correct or erase"),
            _("Whoever received something that you corrected or had deleted, and whether they confirmed it."),
            (
                Column("recipient", _("Recipient")),
                Column("kind", _("What")),
                _moment("asked_at", _("Told")),
                _moment("confirmed_at", _("Confirmed")),
            ),
            _follow_ups,
        )
    )
    register_section(
        Section(
            "mails",
            _("Mails we sent you"),
            _("Which mail and when, for 30 days. We keep no text of it."),
            (
                Column("mail", _("Mail")),
                _moment("queued_at", _("Written")),
                _moment("sent_at", _("Sent")),
            ),
            _mails,
        )
    )
