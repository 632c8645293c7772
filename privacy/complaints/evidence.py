"""Live evidence that the tickets give (RIGHTS-5, RIGHTS-9)."""

from __future__ import annotations

from django.db.models import F
from django.utils.translation import gettext as _

from privacy.complaints.models import Ticket
from privacy.complaints.queries import overdue_tickets, received_tickets, tickets_in_work
from privacy.policy.promises import Evidence, counted, register_evidence

NEWEST = 100


def register() -> None:
    register_evidence("RIGHTS-5", complaints_in_time)
    register_evidence("RIGHTS-9", suspicions_in_time)


def complaints_in_time() -> Evidence:
    """The open ones, and how the newest ended ones were answered."""
    late = overdue_tickets().count()
    numbers = {"open": counted(tickets_in_work()), "late": late, **_ended(None)}
    text = _(
        "%(open)s questions and complaints are open, %(late)d of them overdue. Of the last %(ended)d answered, %(in_time)d were in time."
    )
    return Evidence(_judge(late, bool(received_tickets()[:1])), text % numbers)


def suspicions_in_time() -> Evidence:
    """Suspected misuse alone: each one that ended has an outcome with a name."""
    own = received_tickets().filter(kind=Ticket.Kind.MISUSE)
    late = overdue_tickets().filter(kind=Ticket.Kind.MISUSE).count()
    ended = _ended(Ticket.Kind.MISUSE)
    named = Ticket.objects.filter(kind=Ticket.Kind.MISUSE, resolved_at__isnull=False, outcome="").count()
    numbers = {"all": counted(own), "open": counted(tickets_in_work().filter(kind=Ticket.Kind.MISUSE)), "late": late, **ended}
    text = _(
        "%(all)s suspicions of misuse were reported; %(open)s are looked into, %(late)d of them overdue. "
        "Of the last %(ended)d answered, %(in_time)d were in time, each with its outcome."
    )
    return Evidence(_judge(late + named, bool(own[:1])), text % numbers)


def _judge(wrong: int, is_anything: bool) -> bool | None:
    return False if wrong else (True if is_anything else None)


def _ended(kind: Ticket.Kind | None) -> dict[str, int]:
    ended = Ticket.objects.filter(resolved_at__isnull=False)
    newest = (ended.filter(kind=kind) if kind else ended).order_by("-resolved_at")[:NEWEST]
    in_time = Ticket.objects.filter(pk__in=newest.values("pk"), resolved_at__lte=F("due_at")).count()
    return {"ended": len(newest), "in_time": in_time}
