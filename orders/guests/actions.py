"""From an order number and an address to a browser that is let in; no page in between tells whether they fit."""

from __future__ import annotations

import hmac
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from orders.guests.errors import LinkInvalid, NotYourOrder
from orders.guests.links import link_digest
from orders.guests.models import GuestLink, LeadsTo, OrderLookup
from orders.lifecycle.models import Order, OrderContact
from privacy.access.errors import AccessDenied
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor
from privacy.vault.blind_index import blind_index, blind_indexes, normalize_email
from privacy.vault.errors import KeyDestroyed, Unreadable
from privacy.vault.models import Subject

DOORMAN = Actor.job("guests")
ANSWERED_WITHIN = timedelta(hours=1)
KEPT = timedelta(days=1)


def address_digest(email: str) -> bytes:
    """What is kept of an address that somebody typed, until it has been compared."""
    return blind_index(*_compared(email))


def _compared(email: str) -> tuple[str, str]:
    return "order-contact", normalize_email(email)


@transaction.atomic
def request_link(*, by: Actor, code: str, email: str, leads_to: str = LeadsTo.ORDER, locale: str) -> OrderLookup:
    """Queue the question whether this order and this address belong together; the answer goes to the mailbox only."""
    lookup = OrderLookup(code=code, digest=address_digest(email), leads_to=LeadsTo(leads_to), locale=locale)
    lookup.enqueue()
    record(Event.LOOKUP_REQUESTED, by=by, object=lookup)
    return lookup


@transaction.atomic
def request_new_link(*, by: Actor, order: Order, locale: str) -> OrderLookup:
    """Mail a guest who is let in already another link. Raises NotYourOrder."""
    if not order.is_guest or not by.is_subject(order.subject_id):
        raise NotYourOrder
    lookup = OrderLookup(order=order, locale=locale)
    lookup.enqueue()
    record(Event.LOOKUP_REQUESTED, by=by, subject=order.subject_id, object=lookup, case=order)
    return lookup


def answer_lookup(*, lookup: OrderLookup) -> None:
    """Mail a link if order and address belong together, and forget what was typed. Idempotent."""
    with unit_of_work():
        if lookup.digest is not None:
            lookup.order = _order_that_fits(lookup)
        if lookup.order is not None and lookup.order.subject_id is not None:
            about = Reference.to(lookup)
            queue_mail(template="orders_link", subject=lookup.order.subject_id, object=about, locale=lookup.locale, by=DOORMAN)
        lookup.code, lookup.digest = "", None
        lookup.save(update_fields=["order", "code", "digest"])


@transaction.atomic
def admit_guest(*, by: Actor, token: str) -> GuestLink:
    """Spend a mailed link, and with it every other to the same order; returns it. Raises LinkInvalid."""
    found = GuestLink.objects.select_for_update(of=("self",)).usable().filter(digest=link_digest(token))
    link = found.select_related("order").first()
    if link is None:
        raise LinkInvalid
    GuestLink.objects.filter(order=link.order, used_at=None).update(used_at=timezone.now())
    record(Event.GUEST_ADMITTED, by=by, subject=link.order.subject_id, object=link.order)
    return link


def people_looking_up(subject_ids: frozenset[UUID]) -> set[UUID]:
    """Whose order somebody asks for right now: the ground on which its address is compared and written to."""
    asked = OrderLookup.objects.filter(order__subject_id__in=subject_ids, queued_at__gt=timezone.now() - ANSWERED_WITHIN)
    return set(asked.values_list("order__subject_id", flat=True))


def forget_guest_links(subject: Subject) -> None:
    """The step of an erasure after which no mailed link leads to the person."""
    GuestLink.objects.filter(order__subject=subject).delete()
    OrderLookup.objects.filter(order__subject=subject).delete()


def forget_answered_lookups() -> int:
    """Delete look-ups that ended more than a day ago; returns how many."""
    with transaction.atomic():
        ended = OrderLookup.objects.filter(finished_at__lt=timezone.now() - KEPT)
        keys = list(ended.values_list("pk", flat=True)[:5000])
        deleted, _ = OrderLookup.objects.filter(pk__in=keys).delete()
    return deleted


def _order_that_fits(lookup: OrderLookup) -> Order | None:
    known = Order.objects.filter(code=lookup.code, subject__isnull=False, subject__erased_at=None)
    order = known.select_related("subject").first()
    contact = OrderContact.objects.filter(subject=order.person, order=order).first() if order else None
    if order is None or contact is None:
        return None
    # The look-up names the order before its address is opened: it is the request on which the opening rests.
    OrderLookup.objects.filter(pk=lookup.pk).update(order=order)
    try:
        with open_access(by=DOORMAN, purpose=Purpose.RIGHTS, subject=order.subject_id, case=Reference.to(lookup)) as grant:
            email = grant.open(contact.email)
    except (AccessDenied, KeyDestroyed, Unreadable):
        return None
    typed = bytes(lookup.digest or b"")
    return order if any(hmac.compare_digest(digest, typed) for digest in blind_indexes(*_compared(email))) else None
