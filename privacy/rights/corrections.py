"""Corrections that somebody has to decide: old and proposed value sealed, recipients told (RIGHTS-2)."""

from __future__ import annotations

from uuid import UUID

from django.apps import apps
from django.db import transaction

from privacy.access.gate import Grant, open_access
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.retention.walker import Model, record_models, with_surroundings
from privacy.rights.actions import make_request
from privacy.rights.errors import NotCorrectable, NotYourData
from privacy.rights.models import Request, RequestDetail
from privacy.vault.fields import SealedField, sealed_fields
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord


def decided_fields(record: PersonalRecord | Model) -> list[SealedField]:
    """The fields whose correction somebody decides: those the model names in ``correctable_on_request``."""
    names = getattr(record, "correctable_on_request", ())
    return [field for field in sealed_fields(record) if field.name in names]


def own_record(subject_id: UUID, record_id: UUID) -> PersonalRecord | None:
    """The person's record with this id that has such fields; None for anybody else's."""
    for model in record_models():
        if decided_fields(model):
            found = with_surroundings(model, model._base_manager.filter(pk=record_id, subject_id=subject_id)).first()
            if found is not None:
                return found
    return None


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
    value = wanted.plain.clean(value, record)
    subject = Subject.objects.get(pk=record.subject_id)
    request = make_request(by, subject, Request.Kind.CORRECTION, topic=str(record.pk))
    with open_access(by=by, purpose=Purpose.RIGHTS, subject=subject, case=request) as grant:
        held = getattr(record, field)
        RequestDetail.objects.create(
            subject=subject,
            request=request,
            record_label=record._meta.label_lower,
            record_id=record.pk,
            field=field,
            old_value=None if held is None else grant.open(held),
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


def field_words(detail: RequestDetail) -> str:
    """What is to be corrected, in words: the field and the kind of record it stands in."""
    if not detail.record_label:
        return ""
    model = apps.get_model(detail.record_label)
    field = next((each for each in sealed_fields(model) if each.name == detail.field), None)
    return f"{model._meta.verbose_name}: {field.verbose_name}" if field else str(model._meta.verbose_name)
