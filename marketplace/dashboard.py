"""The cards of the staff's front page, counted from what every part of the site knows."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.admin import site
from django.db.models import Count, Model
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import Entry
from audit.queries import log_health
from privacy.access.models import Opening
from privacy.consent.models import ConsentEntry
from privacy.declarations.purposes import Purpose
from privacy.mail.models import OutboundMail
from privacy.policy.dashboard import Card, Section, State, dashboard_card
from privacy.policy.roles import Actor, Role
from privacy.retention.models import PurgeRun
from privacy.retention.queries import last_run
from privacy.rights.models import Request
from privacy.rights.queries import open_requests, overdue_requests

ANSWERS_REQUESTS = frozenset({Role.PRIVACY_OFFICER, Role.ADMINISTRATOR, Role.SUPPORT})
OVERSEES = frozenset({Role.PRIVACY_OFFICER, Role.ADMINISTRATOR, Role.SECURITY, Role.AUDITOR})
DUE_SOON = timedelta(days=7)
MAIL_LATE = timedelta(minutes=15)
PURGE_LATE = timedelta(hours=30)
TREND = timedelta(days=30)


def list_page(actor: Actor, model: type[Model]) -> str:
    """The address of a model's staff list, or nothing for a role that may not see it."""
    viewers: frozenset[Role] = getattr(site.get_model_admin(model), "viewers", frozenset())
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") if actor.role in viewers else ""


@dashboard_card
def requests_overdue(actor: Actor) -> Card | None:
    if actor.role not in ANSWERS_REQUESTS:
        return None
    late = overdue_requests().count()
    return Card(
        Section.NEEDS_YOU,
        gettext_lazy("Requests overdue"),
        late,
        gettext_lazy("Past the day on which the law wants them answered."),
        State.LATE if late else State.GOOD,
        list_page(actor, Request),
    )


@dashboard_card
def requests_due_soon(actor: Actor) -> Card | None:
    if actor.role not in ANSWERS_REQUESTS:
        return None
    now = timezone.now()
    due = open_requests().filter(due_at__range=(now, now + DUE_SOON)).count()
    return Card(
        Section.NEEDS_YOU,
        gettext_lazy("Requests due within 7 days"),
        due,
        gettext_lazy("Copies, corrections and deletions that people asked for."),
        State.WATCH if due else State.GOOD,
        list_page(actor, Request),
    )


@dashboard_card
def requests_failed(actor: Actor) -> Card | None:
    if actor.role not in ANSWERS_REQUESTS:
        return None
    failed = Request.objects.filter(state=Request.State.FAILED).count()
    return Card(
        Section.NEEDS_YOU,
        gettext_lazy("Requests that failed"),
        failed,
        gettext_lazy("The work behind them stopped; somebody has to look."),
        State.LATE if failed else State.GOOD,
        list_page(actor, Request),
    )


@dashboard_card
def log(actor: Actor) -> Card | None:
    health = log_health()
    checked = health.verification
    text = (
        _("Verified %(age)s ago, %(waiting)s entries waiting to be sealed.")
        % {"age": timesince(checked.finished_at), "waiting": health.waiting}
        if checked
        else _("Not verified yet, %(waiting)s entries waiting to be sealed.") % {"waiting": health.waiting}
    )
    return Card(
        Section.HEALTH,
        gettext_lazy("Log"),
        _("%(entries)s entries sealed") % {"entries": health.entries},
        text,
        State.GOOD if health.ok else State.LATE,
        list_page(actor, Entry),
    )


@dashboard_card
def purge(actor: Actor) -> Card | None:
    run = last_run()
    if run is None or run.finished_at is None:
        return Card(Section.HEALTH, gettext_lazy("Last purge"), _("none yet"))
    is_late = timezone.now() - run.finished_at > PURGE_LATE
    is_broken = run.result == run.Result.BROKEN
    return Card(
        Section.HEALTH,
        gettext_lazy("Last purge"),
        _("%(number)s rows") % {"number": run.total},
        _("%(age)s ago: %(result)s") % {"age": timesince(run.finished_at), "result": run.get_result_display()},
        State.LATE if is_late or is_broken else State.GOOD,
        list_page(actor, PurgeRun),
        sorted(run.counts.items()),
    )


@dashboard_card
def mail(actor: Actor) -> Card | None:
    waiting = OutboundMail.objects.filter(state__in=OutboundMail.OPEN, sent_at=None)
    oldest = waiting.order_by("queued_at").values_list("queued_at", flat=True).first()
    is_late = oldest is not None and timezone.now() - oldest > MAIL_LATE
    text = _("The oldest has waited for %(age)s.") % {"age": timesince(oldest)} if oldest else _("All mail is sent.")
    return Card(
        Section.HEALTH,
        gettext_lazy("Mail waiting"),
        waiting.count(),
        text,
        State.LATE if is_late else State.GOOD,
    )


@dashboard_card
def openings(actor: Actor) -> Card | None:
    if actor.role not in OVERSEES:
        return None
    found = Opening.objects.filter(opened_at__gte=timezone.now() - TREND).values_list("purpose")
    rows = [(Purpose(purpose).label, number) for purpose, number in found.annotate(Count("id")).order_by("purpose")]
    return Card(
        Section.TRENDS,
        gettext_lazy("Looks at personal data by staff, 30 days"),
        sum(number for _purpose, number in rows),
        gettext_lazy("Each with its purpose and its reason."),
        address=list_page(actor, Opening),
        rows=rows,
    )


@dashboard_card
def permissions(actor: Actor) -> Card | None:
    if actor.role not in OVERSEES:
        return None
    found = ConsentEntry.objects.filter(at__gte=timezone.now() - TREND).values_list("decision")
    numbers = dict(found.annotate(Count("id")).order_by("decision"))
    given = numbers.get(ConsentEntry.Decision.GIVEN, 0)
    withdrawn = numbers.get(ConsentEntry.Decision.WITHDRAWN, 0)
    return Card(
        Section.TRENDS,
        gettext_lazy("Permissions given, 30 days"),
        given,
        _("%(number)s withdrawn") % {"number": withdrawn},
        rows=[(_("given"), given), (_("withdrawn"), withdrawn)],
    )


@dashboard_card
def requests_made(actor: Actor) -> Card | None:
    if actor.role not in OVERSEES | ANSWERS_REQUESTS:
        return None
    found = Request.objects.filter(made_at__gte=timezone.now() - TREND).values_list("kind")
    rows = [(Request.Kind(kind).label, number) for kind, number in found.annotate(Count("id")).order_by("kind")]
    return Card(
        Section.TRENDS,
        gettext_lazy("Requests, 30 days"),
        sum(number for _kind, number in rows),
        rows=rows,
    )
