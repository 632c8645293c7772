"""The charts of the staff's front page: what went on in the last twelve weeks, each for the roles that oversee it."""

from __future__ import annotations

from django.db.models import QuerySet, Value
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.dashboard import OVERSEES, list_page
from privacy.access.models import Opening
from privacy.complaints.models import Ticket
from privacy.consent.models import ConsentEntry
from privacy.declarations.purposes import Purpose
from privacy.interface.charts import Chart, chart_of
from privacy.policy.dashboard import Card, Section, dashboard_card
from privacy.policy.roles import Actor, Role
from privacy.rights.models import Receipt, Request
from privacy.sharing.models import Disclosure, Recipient

HEARS_COMPLAINTS = OVERSEES | {Role.SUPPORT}


def _card(title: str | Promise, text: str | Promise, chart: Chart, address: str = "") -> Card:
    return Card(Section.TRENDS, title, chart.total, text, address=address, chart=chart)


@dashboard_card
def requests_by_kind(actor: Actor) -> Card | None:
    if actor.role not in HEARS_COMPLAINTS:
        return None
    chart = chart_of(Request.objects.all(), "made_at", "kind", dict(Request.Kind.choices), "requests")
    return _card(gettext_lazy("Requests"), gettext_lazy("What people asked for, by kind."), chart, list_page(actor, Request))


@dashboard_card
def openings_by_purpose(actor: Actor) -> Card | None:
    if actor.role not in OVERSEES:
        return None
    chart = chart_of(Opening.objects.all(), "opened_at", "purpose", dict(Purpose.choices), "openings")
    text = gettext_lazy("Looks at personal data by staff, by purpose; each has its reason.")
    return _card(gettext_lazy("Looks by staff"), text, chart, list_page(actor, Opening))


@dashboard_card
def permissions(actor: Actor) -> Card | None:
    if actor.role not in OVERSEES:
        return None
    chart = chart_of(ConsentEntry.objects.all(), "at", "decision", dict(ConsentEntry.Decision.choices), "permissions")
    return _card(gettext_lazy("Permissions"), gettext_lazy("Given and withdrawn by customers."), chart)


@dashboard_card
def disclosures_by_recipient(actor: Actor) -> Card | None:
    if actor.role not in OVERSEES:
        return None
    names = dict(Recipient.objects.order_by("name").values_list("pk", "name"))
    chart = chart_of(Disclosure.objects.all(), "at", "recipient_id", {str(key): name for key, name in names.items()}, "disclosures")
    text = gettext_lazy("How often each recipient received something, under its agreement.")
    return _card(gettext_lazy("Passed on"), text, chart, list_page(actor, Disclosure))


@dashboard_card
def tickets_by_kind(actor: Actor) -> Card | None:
    if actor.role not in HEARS_COMPLAINTS:
        return None
    chart = chart_of(Ticket.objects.all(), "opened_at", "kind", dict(Ticket.Kind.choices), "tickets")
    return _card(
        gettext_lazy("Messages and complaints"), gettext_lazy("What people wrote to us, by kind."), chart, list_page(actor, Ticket)
    )


@dashboard_card
def erasures(actor: Actor) -> Card | None:
    if actor.role not in OVERSEES:
        return None
    receipts: QuerySet[Receipt] = Receipt.objects.annotate(kind=Value("all"))
    chart = chart_of(receipts, "issued_at", "kind", {"all": _("People erased")}, "erasures")
    text = gettext_lazy("Finished, with a receipt and nothing left over.")
    return _card(gettext_lazy("Erasures"), text, chart, list_page(actor, Receipt))
