"""Texts of ours that staff put into answers (RIGHTS-5)."""

from __future__ import annotations

from django.db import transaction

from audit.events import Event
from audit.record import record
from privacy.complaints.models import CannedReply
from privacy.policy.roles import Actor


@transaction.atomic
def save_canned_reply(*, by: Actor, reply: CannedReply) -> CannedReply:
    """Add a prepared answer or change it; raises ValidationError for one that is not valid."""
    reply.full_clean()
    reply.save()
    record(Event.CANNED_REPLY_CHANGED, by=by, object=reply)
    return reply
