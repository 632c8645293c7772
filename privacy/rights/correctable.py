"""What people can have corrected by a decision, and what a request is about in words (RIGHTS-2)."""

from __future__ import annotations

from uuid import UUID

from django.apps import apps

from privacy.declarations.purposes import Purpose
from privacy.retention.walker import Model, record_models, with_surroundings
from privacy.rights.models import Request, RequestDetail
from privacy.vault.fields import SealedField, sealed_fields
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


def field_words(detail: RequestDetail) -> str:
    """What is to be corrected, in words: the field and the kind of record it stands in."""
    if not detail.record_label:
        return ""
    model = apps.get_model(detail.record_label)
    field = next((each for each in sealed_fields(model) if each.name == detail.field), None)
    return f"{model._meta.verbose_name}: {field.verbose_name}" if field else str(model._meta.verbose_name)


def about_words(request: Request, detail: RequestDetail | None = None) -> str:
    """What a request concerns beyond its kind: the use objected to, or the field to be corrected."""
    if request.topic in Purpose:
        return str(Purpose(request.topic).label)
    return field_words(detail) if detail else ""
