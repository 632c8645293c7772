"""Canceled purchases that wait for staff, on their front page."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.withdrawals.deadlines import refund_until
from orders.withdrawals.models import WithdrawalState
from orders.withdrawals.queries import late_undecided, to_refund
from privacy.policy.dashboard import Card, Section, State, dashboard_card
from privacy.policy.roles import Actor, Role


@dashboard_card
def to_decide(actor: Actor) -> Card | None:
    if actor.role != Role.SUPPORT:
        return None
    number = late_undecided().count()
    return _card(
        _("Late cancellations"), number, _("They came after the deadline and wait for your answer."), State.WATCH, "is_late__exact=1"
    )


@dashboard_card
def to_give_back(actor: Actor) -> Card | None:
    """Late once the day has passed on which the law wants the money back."""
    if actor.role != Role.FINANCE:
        return None
    declared = list(to_refund().values_list("declared_at", flat=True))
    is_late = any(refund_until(moment) < timezone.localdate() for moment in declared)
    shown = f"state__exact={WithdrawalState.GOODS_BACK.value}"
    return _card(_("Money to give back"), len(declared), _("The goods are here again."), State.LATE if is_late else State.WATCH, shown)


def _card(title: Promise, number: int, text: Promise, waiting: State, query: str) -> Card:
    address = reverse("admin:orders_contractwithdrawal_changelist") + f"?{query}"
    return Card(Section.NEEDS_YOU, title, number, text, waiting if number else State.GOOD, address)
