"""What this room tells the rooms below it when the site starts (RIGHTS-1, RIGHTS-3, CHANGE-4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _

from privacy.access.break_glass import give_due_notices, register_notice
from privacy.access.cases import register_case
from privacy.access.gate import register_ground, register_withholding
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import forget_old_mail
from privacy.retention.holds import holds_in_force
from privacy.retention.models import Hold
from privacy.retention.registry import register_cleanup, register_hold
from privacy.rights.cases import describe_requests, register_case_words
from privacy.rights.copies import expire_copies, sealed_copies
from privacy.rights.erasure import Blocker, register_blocker, register_step
from privacy.rights.mails import declare_mails, forget_receipt_links
from privacy.rights.models import Request
from privacy.rights.notices import declare_notices, tell_person
from privacy.rights.queries import open_requests_for, people_with_open_request, request_state
from privacy.rights.restrictions import end_open_matters, frozen_records, withheld
from privacy.rights.sections import register_own_sections
from privacy.rights.steps import end_kept_records
from privacy.vault.files import register_sealed_files


def register_all() -> None:
    register_sealed_files(sealed_copies)
    register_ground(Purpose.RIGHTS, people_with_open_request)
    register_withholding(withheld)
    register_hold(open_requests)
    register_hold(frozen_records)
    register_blocker(legal_holds)
    register_step("restrictions", end_open_matters)
    register_cleanup("copies of data", expire_copies)
    register_cleanup("mails", forget_old_mail)
    register_cleanup("links to receipts", forget_receipt_links)
    register_cleanup("keys of ended records", end_kept_records)
    register_own_sections()
    declare_mails()
    declare_notices()
    register_notice(tell_person)
    register_cleanup("news held back", give_due_notices)
    register_case(Request._meta.label_lower, request_state, open_requests_for)
    register_case_words(Request._meta.label_lower, describe_requests)


def open_requests(model: type[models.Model], queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """What somebody has just asked us for does not vanish before they have their answer."""
    return queryset.exclude(subject_id__in=Request.objects.filter(state__in=Request.OPEN).values("subject_id"))


def legal_holds(subject_id: UUID) -> list[Blocker]:
    """An erasure waits for the end of a hold; the person reads which law, and until when."""
    words = _("A law makes us keep your data for now: %(law)s.")
    holds = holds_in_force().filter(subject_id=subject_id).order_by("until")
    return [Blocker(words % {"law": Hold.Ground(hold.ground).label}, hold.until) for hold in holds]
