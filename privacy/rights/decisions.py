"""What a person of ours decides about a request, with a reason that the other person reads (RIGHTS-2, RIGHTS-7)."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from privacy.access.gate import open_access
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor
from privacy.rights.actions import end_request
from privacy.rights.corrections import write_proposed
from privacy.rights.errors import NotYourDecision, TooLate
from privacy.rights.models import Request, RequestDetail
from privacy.rights.queries import ANSWER_TEMPLATE, OFFICERS
from privacy.rights.restrictions import end_restriction
from privacy.sharing.actions import tell_holders
from privacy.sharing.models import FollowUp


@transaction.atomic
def decide_request(*, by: Actor, request: Request, is_granted: bool, answer: str) -> None:
    """Grant or reject a proposed correction or an objection; ``answer`` is sealed and the person reads it.

    A granted correction is written and whoever received the old value is told; a rejected objection lets the
    use go on. Raises NotYourDecision, TooLate, NotCorrectable when the record is gone, and AccessDenied while somebody
    else has it.
    """
    if by.role not in OFFICERS:
        raise NotYourDecision
    locked = Request.objects.select_for_update().get(pk=request.pk)
    if not locked.is_for_staff:
        raise TooLate
    detail = RequestDetail.objects.get(subject_id=locked.subject_id, request=locked)
    if is_granted and locked.kind == Request.Kind.CORRECTION:
        _correct(by, locked, detail)
    if not is_granted and locked.kind == Request.Kind.OBJECTION:
        end_restriction(locked)
    with open_access(
        by=by, purpose=Purpose.RIGHTS, subject=locked.subject_id, reason=_reason(locked), case=locked, writes=Event.DATA_COLLECTED
    ):
        detail.answer, detail.answered_at = answer, timezone.now()
        detail.save(update_fields=["answer", "answered_at"])
    end_request(locked, Request.State.COMPLETED, "granted" if is_granted else "rejected")
    record(Event.REQUEST_COMPLETED, by=by, subject=locked.subject_id, object=locked, outcome=locked.outcome)
    queue_mail(by=by, template=ANSWER_TEMPLATE, subject=locked.subject_id, object=Reference.to(locked), locale=locked.locale)


def _correct(by: Actor, request: Request, detail: RequestDetail) -> None:
    writes = {"writes": Event.DATA_CORRECTED, "reason": _reason(request), "case": request}
    with open_access(by=by, purpose=Purpose.RIGHTS, subject=request.subject_id, **writes) as grant:  # type: ignore[arg-type]
        field = write_proposed(detail, grant)
    tell_holders(by=by, subject_id=request.subject_id, kind=FollowUp.Kind.CORRECTION, categories=[field.category.value])


def _reason(request: Request) -> str:
    return f"{request.kind} {request.code}"
