"""What this room tells the rooms below it when the site starts (RIGHTS-5, RIGHTS-3, CHANGE-4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from privacy.access.cases import register_case
from privacy.access.gate import register_ground
from privacy.complaints.actions import close_tickets_of, forget_old_links
from privacy.complaints.attachments import delete_ownerless_files, files_for_copy, sealed_attachments
from privacy.complaints.mails import declare_mails
from privacy.complaints.models import Ticket
from privacy.complaints.queries import open_tickets_of, people_with_complaint, people_with_live_ticket, ticket_state, tickets_in_work
from privacy.complaints.sections import LABEL, describe_tickets, register_ticket_section
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.retention.registry import register_cleanup, register_hold
from privacy.rights.cases import register_case_words
from privacy.rights.erasure import Blocker, register_blocker, register_step
from privacy.rights.held_files import register_files
from privacy.staff_exports.people import register_exportable
from privacy.vault.files import register_sealed_files
from privacy.vault.models import Subject


def register_all() -> None:
    register_ground(Purpose.SUPPORT, people_with_live_ticket)
    register_ground(Purpose.RIGHTS, people_with_complaint)
    register_case(LABEL, ticket_state, open_tickets_of)
    register_hold(open_tickets)
    register_exportable(Ticket)
    register_blocker(unanswered)
    register_step("tickets", close_erased_tickets)
    register_cleanup("files of messages", delete_ownerless_files)
    register_cleanup("links to messages", forget_old_links)
    register_case_words(LABEL, describe_tickets)
    register_files(files_for_copy)
    register_sealed_files(sealed_attachments)
    register_ticket_section()
    declare_mails()


def open_tickets(model: type[models.Model], queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """What somebody complains about does not vanish before they have their answer."""
    return queryset.exclude(subject_id__in=tickets_in_work().values("subject_id"))


def unanswered(subject_id: UUID) -> list[Blocker]:
    """An erasure waits for the answer, which could not be given any more; taking the message back ends the waiting."""
    if not tickets_in_work().filter(subject_id=subject_id).exists():
        return []
    return [Blocker(_("A message of yours is not answered yet. You can take it back on its page."))]


def close_erased_tickets(subject: Subject) -> None:
    close_tickets_of(by=Actor.job("erasure"), subject=subject)
