"""Corrections that somebody has to decide: old and proposed value sealed, recipients told (RIGHTS-2)."""

from __future__ import annotations

from django.apps import apps
from django.db import transaction

from audit.events import Event
from privacy.access.gate import Grant, open_access
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.rights.actions import make_request
from privacy.rights.correctable import decided_fields
from privacy.rights.errors import NotCorrectable, NotYourData
from privacy.rights.models import Request, RequestDetail
from privacy.vault.fields import SealedField
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord


@transaction.atomic
def propose_correction(*, by: Actor, record: PersonalRecord, field: str, value: str, reason: str = "") -> Request:
    """Ask us to write ``value`` over what one field of the person's own record holds.

    What it holds now is kept beside it, sealed, so that whoever decides sees both. One open proposal a record.
    Raises NotYourData, NotCorrectable, AlreadyRequested, and ValidationError for a value the field does not take.
    """
    if not by.is_subject(record.subject_id):
        raise NotYourData
    wanted = next((each for each in decided_fields(record) if each.name == field), None)
    if wanted is None:
        raise NotCorrectable
    value = wanted.clean(value, record)
    subject = Subject.objects.get(pk=record.subject_id)
    request = make_request(by, subject, Request.Kind.CORRECTION, topic=str(record.pk))
    with open_access(by=by, purpose=Purpose.RIGHTS, subject=subject, case=request, writes=Event.DATA_COLLECTED) as grant:
        held = getattr(record, field)
        RequestDetail.objects.create(
            subject=subject,
            request=request,
            record_label=record._meta.label_lower,
            record_id=record.pk,
            field=field,
            old_value=None if held is None else grant.read(held),
            new_value=value,
            reason=reason or None,
        )
    return request


def write_proposed(detail: RequestDetail, grant: Grant) -> SealedField:
    """Write the proposed value under ``grant``, whose writes are corrections; returns the field.

    Raises NotCorrectable when the record is gone.
    """
    model = apps.get_model(detail.record_label)
    record = model._base_manager.select_for_update().filter(pk=detail.record_id, subject_id=detail.subject_id).first()
    if record is None:
        raise NotCorrectable
    setattr(record, detail.field, grant.open(detail.new_value))
    record.save(update_fields=[detail.field])
    return next(field for field in decided_fields(model) if field.name == detail.field)
