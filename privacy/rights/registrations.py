"""What this room tells the rooms below it when the site starts (RIGHTS-1, RIGHTS-3, CHANGE-4)."""

from __future__ import annotations

from typing import Any

from django.db import models

from privacy.access.gate import register_ground, register_withholding
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import forget_old_mail
from privacy.retention.registry import register_cleanup, register_hold
from privacy.rights.cases import describe_requests, register_case_words
from privacy.rights.copies import expire_copies
from privacy.rights.erasure import register_step
from privacy.rights.mails import declare_mails, forget_receipt_links
from privacy.rights.models import Request
from privacy.rights.queries import people_with_open_request
from privacy.rights.restrictions import end_open_matters, frozen_records, withheld
from privacy.rights.sections import register_own_sections
from privacy.rights.steps import end_kept_records


def register_all() -> None:
    register_ground(Purpose.RIGHTS, people_with_open_request)
    register_withholding(withheld)
    register_hold(open_requests)
    register_hold(frozen_records)
    register_step("restrictions", end_open_matters)
    register_cleanup("copies of data", expire_copies)
    register_cleanup("mails", forget_old_mail)
    register_cleanup("links to receipts", forget_receipt_links)
    register_cleanup("keys of ended records", end_kept_records)
    register_own_sections()
    declare_mails()
    register_case_words(Request._meta.label_lower, describe_requests)


def open_requests(model: type[models.Model], queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """What somebody has just asked us for does not vanish before they have their answer."""
    return queryset.exclude(subject_id__in=Request.objects.filter(state__in=Request.OPEN).values("subject_id"))
