"""The cards of the staff's front page, counted from what every part of the site knows."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.admin import site
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.identifiers import moment_of
from audit.models import Entry, Retirement
from audit.publishing import outside_health
from audit.queries import LogHealth, log_health
from marketplace.health import check_pulse
from privacy.interface.charts import kept_numbers
from privacy.jobs.actions import job_models
from privacy.jobs.models import Job
from privacy.mail.models import OutboundMail
from privacy.policy.dashboard import Card, Section, State, dashboard_card
from privacy.policy.keeping import Standing, promise_rows
from privacy.policy.operator import operator
from privacy.policy.roles import Actor, Role
from privacy.publication.actions import PREPARES
from privacy.publication.models import PolicyDraft
from privacy.publication.queries import is_complete
from privacy.retention.evidence import PURGED_WITHIN
from privacy.retention.models import PurgeRun
from privacy.retention.queries import last_run
from privacy.rights.models import Request
from privacy.rights.queries import open_requests, overdue_requests
from privacy.sharing.models import Agreement, FollowUp
from privacy.sharing.queries import open_follow_ups, recipients_losing_cover
from privacy.vault.errors import VaultUnavailable
from privacy.vault.queries import key_ages

ANSWERS_REQUESTS = frozenset({Role.PRIVACY_OFFICER})
OVERSEES = frozenset({Role.PRIVACY_OFFICER, Role.ADMINISTRATOR, Role.SECURITY, Role.AUDITOR})
DUE_SOON = timedelta(days=7)
MAIL_LATE = timedelta(minutes=15)
ENDS_SOON = timedelta(days=30)
LATELY = timedelta(days=7)
MUST_BE_PUBLISHED = ("name", "address", "country", "email", "privacy_email", "authority", "security_email")


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
def failed_work(actor: Actor) -> Card | None:
    """Jobs that gave up lately, whatever they were to do."""
    if actor.role not in OVERSEES:
        return None
    since = timezone.now() - LATELY
    failed = [(model, model._base_manager.filter(state=Job.State.FAILED, finished_at__gte=since).count()) for model in job_models()]
    number = sum(count for _model, count in failed)
    return Card(
        Section.NEEDS_YOU,
        gettext_lazy("Jobs that failed, 7 days"),
        number,
        gettext_lazy("They were tried several times and gave up."),
        State.LATE if number else State.GOOD,
        rows=[(model._meta.verbose_name_plural, count) for model, count in failed if count],
    )


@dashboard_card
def agreements_ending(actor: Actor) -> Card | None:
    if actor.role not in OVERSEES:
        return None
    ending = recipients_losing_cover(within=ENDS_SOON)
    return Card(
        Section.NEEDS_YOU,
        gettext_lazy("Agreements ending within 30 days"),
        len(ending),
        gettext_lazy("On the day after, nothing more may go to this partner."),
        State.WATCH if ending else State.GOOD,
        list_page(actor, Agreement),
        [(name, date_format(day, "DATE_FORMAT")) for name, day in ending],
    )


@dashboard_card
def answers_of_recipients(actor: Actor) -> Card | None:
    if actor.role != Role.PRIVACY_OFFICER:
        return None
    number = open_follow_ups().count()
    text = gettext_lazy("Recipients that were told of a correction or deletion and have not confirmed it.")
    title = gettext_lazy("Answers that partners owe us")
    return Card(Section.NEEDS_YOU, title, number, text, State.WATCH if number else State.GOOD, list_page(actor, FollowUp))


@dashboard_card
def policy_draft(actor: Actor) -> Card | None:
    if actor.role not in PREPARES:
        return None
    draft = PolicyDraft.objects.filter(announced_as=None, discarded_at=None).first()
    text = (
        gettext_lazy("Complete: the privacy officer can announce it.")
        if draft and is_complete(draft)
        else gettext_lazy("Words are missing.")
    )
    address = reverse("admin:privacy_policydraft_change", args=[draft.pk]) if draft else ""
    return Card(
        Section.NEEDS_YOU, gettext_lazy("Draft of the policy"), int(draft is not None), text, State.WATCH if draft else State.GOOD, address
    )


@dashboard_card
def operator_missing(actor: Actor) -> Card | None:
    """What the law wants published and nobody has entered."""
    if actor.role not in PREPARES:
        return None
    now = operator()
    missing = [name for name in MUST_BE_PUBLISHED if not getattr(now, name)]
    return Card(
        Section.NEEDS_YOU,
        gettext_lazy("Missing details of the operator"),
        len(missing),
        gettext_lazy("They stand on the imprint, in the policy and on invoices."),
        State.LATE if missing else State.GOOD,
        reverse("admin:privacy_operatoridentity_add"),
        [("", capfirst(str(now._meta.get_field(name).verbose_name))) for name in missing],  # type: ignore[union-attr]
    )


@dashboard_card
def log(actor: Actor) -> Card | None:
    health = log_health()
    return Card(
        Section.HEALTH,
        gettext_lazy("Log"),
        _("%(entries)s entries sealed") % {"entries": health.entries},
        _words_on(health),
        State.GOOD if health.ok else State.LATE,
        list_page(actor, Entry),
        _lifetime_of_the_log(),
    )


def _lifetime_of_the_log() -> list[tuple[object, object]]:
    """How long it is kept, and the last months that have left."""
    years = settings.AUDIT_KEPT_YEARS
    left = [
        (_("%(month)s has left") % {"month": date_format(moment_of(month.first_id), "YEAR_MONTH_FORMAT")}, month.entries)
        for month in Retirement.objects.order_by("-first_id")[:3]
    ]
    return [(_("Kept for"), ngettext("%d year", "%d years", years) % years), *left]


def _words_on(health: LogHealth) -> str:
    waiting = {"waiting": health.waiting}
    if not health.holds:
        return _("It does not hold: see the verifications. %(waiting)s entries waiting to be sealed.") % waiting
    if health.verification is None or health.whole is None:
        return _("Not verified yet, %(waiting)s entries waiting to be sealed.") % waiting
    ages = {"age": timesince(health.verification.finished_at), "whole": timesince(health.whole.finished_at)}
    return _("Holds. What is new was verified %(age)s ago, the whole log %(whole)s ago. %(waiting)s entries waiting to be sealed.") % {
        **ages,
        **waiting,
    }


@dashboard_card
def log_outside(actor: Actor) -> Card | None:
    """Nothing where no place is configured: then the log's own directory is all there is."""
    health = outside_health()
    if not health.places:
        return None
    text = _("All have the newest checkpoint.")
    if health.contradicting:
        text = _("%(count)s of them know another log. Nothing more is signed.") % {"count": health.contradicting}
    elif health.late:
        text = _("%(count)s of them are late.") % {"count": health.late}
    return Card(
        Section.HEALTH,
        gettext_lazy("Log outside"),
        _("%(count)s places") % {"count": health.places},
        text,
        State.GOOD if health.ok else State.LATE,
        reverse("audit:log"),
    )


@dashboard_card
def purge(actor: Actor) -> Card | None:
    run = last_run()
    if run is None or run.finished_at is None:
        return Card(Section.HEALTH, gettext_lazy("Last purge"), _("none yet"))
    is_late = timezone.now() - run.finished_at > PURGED_WITHIN
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
def promises(actor: Actor) -> Card | None:
    rows = promise_rows()
    against = [row for row in rows if row.is_against]
    is_broken = any(row.standing == Standing.FAILED for row in against)
    return Card(
        Section.HEALTH,
        gettext_lazy("Promises"),
        _("%(kept)d of %(all)d kept") % {"kept": len(rows) - len(against), "all": len(rows)},
        gettext_lazy("What the running system says of the published policy."),
        State.LATE if is_broken else State.WATCH if against else State.GOOD,
        reverse("privacy:promises"),
        [(row.promise.id, f"{row.promise.title} ({row.standing.label})") for row in against],
    )


@dashboard_card
def keys(actor: Actor) -> Card | None:
    """Which key locks the keys of people, and whether some are still locked with an older one."""
    if actor.role not in OVERSEES:
        return None
    title = gettext_lazy("Keys")
    try:
        ages = kept_numbers("key-ages", key_ages)
    except VaultUnavailable:
        return Card(Section.HEALTH, title, _("no answer"), gettext_lazy("The keys' database does not answer; nothing opens."), State.LATE)
    rows: list[tuple[str, object]] = [
        (_("keys locked with an older version"), ages.former_version),
        (_("keys that are too old or have sealed too much"), ages.overdue),
        (_("changes of keys that were begun and not ended"), ages.unfinished),
        (_("epochs that should be over"), ages.epochs_late),
        (_("deleted keys whose bytes still stand in the files"), ages.clearings_late),
    ]
    if ages.locked_since:
        rows.insert(0, (_("age of the key that locks the others"), timesince(ages.locked_since)))
    return Card(
        Section.HEALTH,
        title,
        _("version %(number)d") % {"number": ages.version},
        _("The oldest key of a person was made %(age)s ago.") % {"age": timesince(ages.oldest)}
        if ages.oldest
        else _("No key was made yet."),
        State.LATE if ages.is_overdue else State.WATCH if ages.former_version else State.GOOD,
        rows=rows,
    )


@dashboard_card
def queue(actor: Actor) -> Card | None:
    """Whether somebody does the work, and how much of it waits."""
    open_jobs = [(model, model._base_manager.filter(state__in=Job.OPEN, due_at__lte=timezone.now()).count()) for model in job_models()]
    is_alive = all(part["state"] == "ok" for part in (check_pulse("worker"), check_pulse("beat")))
    waiting = sum(number for _model, number in open_jobs)
    return Card(
        Section.HEALTH,
        gettext_lazy("Work in the queue"),
        waiting,
        gettext_lazy("The worker and the clock are alive.") if is_alive else gettext_lazy("The worker or the clock gives no sign of life."),
        State.GOOD if is_alive else State.LATE,
        rows=[(model._meta.verbose_name_plural, number) for model, number in open_jobs if number],
    )
