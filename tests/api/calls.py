"""Every call of the interface, once: how it is made, and what its owner gets. A call that is missing fails `test_calls.py`."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils import timezone

from marketplace.accounts.sessions import session_digest
from orders.withdrawals.actions import declare_withdrawal
from privacy.access.gate import unit_of_work
from privacy.complaints.actions import open_ticket, resolve_ticket
from privacy.complaints.attachments import clean_file
from privacy.complaints.models import Ticket
from privacy.consent.statements import fingerprint
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.actions import publish_policy
from privacy.policy.models import PolicyVersion
from privacy.policy.roles import Role
from privacy.rights.actions import request_copy, request_erasure
from privacy.rights.restrictions import freeze_data
from privacy.rights.uses import uses_of
from privacy.sharing.actions import register_recipient, sign_agreement
from privacy.sharing.models import Recipient
from tests.accounts.people import PASSWORD
from tests.api.people import Form
from tests.audit.entries import bind
from tests.orders.factories import SETUP, actor
from tests.privacy.rights.people import perform

HERS = "hers"
OWN = "own"
PUBLIC = "public"


@dataclass(frozen=True)
class Call:
    """``kind``: of everybody, of whoever asks, or about one row of one person. ``make`` gives arguments and body."""

    name: str
    method: str
    kind: str
    make: Any = None
    status: int = 200
    scope: str = ""
    with_password: bool = False
    leaves: str = ""

    def __str__(self):
        return f"{self.method} {self.name}"

    def prepared(self, person):
        """(path, body) for this person, with whatever has to be there already."""
        args, body = self.make(person) if self.make else ((), None)
        return reverse(f"api:{self.name}", args=args), body


def _a_copy(person):
    with unit_of_work():
        request = request_copy(by=person.actor, subject=person.subject)
    perform(request.export)
    return request


def _an_erasure(person):
    with unit_of_work():
        return request_erasure(by=person.actor, subject=person.subject)


def _a_freeze(person):
    with unit_of_work():
        return freeze_data(by=person.actor, subject=person.subject, categories=[Category.INTERACTION])


def _a_withdrawal(person):
    with unit_of_work():
        made = declare_withdrawal(by=person.actor, order=person.sent, token=uuid4())
    return (person.sent.code, made.pk), None


def _a_ticket(person, files=()):
    with unit_of_work():
        return open_ticket(
            by=person.actor, subject=person.subject, kind=Ticket.Kind.QUESTION, body="Kanarka asks", token=uuid4(), files=files, locale="en"
        )  # fmt: skip


def _a_resolved_ticket(person):
    ticket = _a_ticket(person)
    with unit_of_work():
        return resolve_ticket(by=actor(Role.SUPPORT), ticket=ticket, outcome=Ticket.Outcome.ANSWERED, answer="So it is.", token=uuid4())


def _a_message(person):
    ticket = _a_ticket(person)
    return (ticket.pk, ticket.messages.get().pk), None


def _a_file(person):
    ticket = _a_ticket(person, [clean_file("note.txt", b"Kanarka")])
    return (ticket.pk, ticket.messages.get().attachments.get().pk), None


def _a_bound_use(person):
    _a_ticket(person)
    use = uses_of(person.subject.pk).first()
    bind(use)
    return (use.pk,), None


def _two_versions(person):
    if not PolicyVersion.objects.filter(number=2).exists():
        words = {"title": "Policy", "summary": ["We keep it shorter."], "sections": []}
        publish_policy(by=SETUP, number=2, texts={"en": words}, purposes=list(Purpose), effective_at=timezone.now() + timedelta(days=31))
    return (1, 2), None


def _a_researcher(person):
    """A recipient that gets something only with the person's yes."""
    if not Recipient.objects.filter(slug="research").exists():
        today = timezone.now().date()
        with unit_of_work():
            recipient = register_recipient(by=SETUP, slug="research", name="Research", kind=Recipient.Kind.PROCESSOR, country="DE")
            sign_agreement(
                by=SETUP, recipient=recipient, reference="research-1", purposes=[Purpose.IMPROVEMENT], categories=[Category.INTERACTION],
                signed_on=today - timedelta(days=1), starts_on=today - timedelta(days=1), ends_on=today + timedelta(days=99),
            )  # fmt: skip
    return ("research", "improvement"), None


def _yes(person):
    return ("improvement",), {"fingerprint": fingerprint(Purpose.IMPROVEMENT, "en")}


def _session(person):
    client = person.browser().client
    return (person.user.sessions.get(session_key__startswith=_digest(client)[:32]).reference,), None


def _digest(client):
    return session_digest(client.session.session_key)


def _correctable(person):
    order = person.sent
    return (), {"record": str(order.addresses.get().pk), "field": "line1", "value": "Right Road 8"}


def _disclosed(person):
    person.sent  # noqa: B018
    return ("carrier",), None


CALLS = [
    Call("front-door", "GET", PUBLIC),
    Call("product-categories", "GET", PUBLIC),
    Call("products", "GET", PUBLIC),
    Call("product", "GET", PUBLIC, lambda person: ((person.received.lines.get().product.slug,), None)),
    Call("policy", "GET", PUBLIC),
    Call("policy-versions", "GET", PUBLIC),
    Call("policy-version", "GET", PUBLIC, lambda person: ((1,), None)),
    Call("policy-differences", "GET", PUBLIC, _two_versions),
    Call("promises", "GET", PUBLIC),
    Call("promise", "GET", PUBLIC, lambda person: (("COLLECT-1",), None)),
    Call("account", "GET", OWN, scope="account:read"),
    Call("details", "GET", OWN, scope="account:read"),
    Call("details", "PATCH", OWN, lambda person: ((), {"name": "Right Name"}), scope="account:write", leaves="rights.request.completed"),
    Call(
        "email", "POST", OWN, lambda person: ((), {"email": "new@example.org", "password": PASSWORD}), 204,
        with_password=True, leaves="accounts.mailbox.change_requested",
    ),
    Call("sessions", "GET", OWN, scope="account:read"),
    Call("sessions", "DELETE", OWN, status=204, scope="account:write", leaves="accounts.session.ended"),
    Call("session", "DELETE", HERS, _session, 204, "account:write", leaves="accounts.session.ended"),
    Call("security-events", "GET", OWN, scope="account:read"),
    Call("tokens", "GET", OWN, scope="account:read"),
    Call("token", "DELETE", HERS, lambda person: ((person.program().token.pk,), None), 204, "account:write", leaves="accounts.api_token.ended"),
    Call("orders", "GET", OWN, scope="orders:read"),
    Call("order", "GET", HERS, lambda person: ((person.sent.code,), None), scope="orders:read", leaves="privacy.data.opened"),
    Call("invoice", "GET", HERS, lambda person: ((person.sent.code,), None), scope="orders:read", leaves="privacy.data.opened"),
    Call("cancel-order", "POST", HERS, lambda person: ((person.received.code,), None), scope="orders:write", leaves="orders.order.canceled"),
    Call(
        "pay-again", "POST", HERS, lambda person: ((person.declined.code,), {"method": "card"}),
        scope="orders:write", leaves="orders.payment.requested",
    ),
    Call("credit-notes", "GET", HERS, lambda person: ((person.sent.code,), None), scope="orders:read"),
    Call("withdrawal-plan", "GET", HERS, lambda person: ((person.sent.code,), None), scope="orders:read"),
    Call("withdrawals", "GET", HERS, lambda person: ((person.sent.code,), None), scope="orders:read"),
    Call(
        "withdrawals", "POST", HERS, lambda person: ((person.sent.code,), {}), 201, "orders:write", leaves="orders.withdrawal.declared"
    ),
    Call("withdrawal", "GET", HERS, _a_withdrawal, scope="orders:read"),
    Call("tickets", "GET", OWN, scope="messages:read"),
    Call(
        "tickets", "POST", OWN, lambda person: ((), {"kind": "question", "body": "Kanarka asks"}),
        201, "messages:write", leaves="complaints.ticket.opened",
    ),
    Call("abouts", "GET", OWN, scope="messages:read"),
    Call("ticket", "GET", HERS, lambda person: ((_a_ticket(person).pk,), None), scope="messages:read"),
    Call("ticket-messages", "GET", HERS, lambda person: ((_a_ticket(person).pk,), None), scope="messages:read", leaves="privacy.data.opened"),
    Call(
        "ticket-messages", "POST", HERS, lambda person: ((_a_ticket(person).pk,), {"body": "One more"}),
        201, "messages:write", leaves="complaints.ticket.customer_wrote",
    ),
    Call("ticket-message", "GET", HERS, _a_message, scope="messages:read"),
    Call("ticket-file", "GET", HERS, _a_file, scope="messages:read", leaves="complaints.attachment.downloaded"),
    Call(
        "ticket-files", "POST", HERS, lambda person: ((_a_ticket(person).pk,), Form("Look at this", "note.txt", b"Kanarka")),
        201, "messages:write", leaves="complaints.ticket.customer_wrote",
    ),
    Call(
        "reopening", "POST", HERS, lambda person: ((_a_resolved_ticket(person).pk,), {"body": "Look again"}),
        scope="messages:write", leaves="complaints.ticket.reopened",
    ),
    Call(
        "ticket-withdrawal", "POST", HERS, lambda person: ((_a_ticket(person).pk,), None),
        scope="messages:write", leaves="complaints.ticket.withdrawn",
    ),
    Call("data", "GET", OWN, scope="data:read"),
    Call("time-line", "GET", OWN, scope="data:read"),
    Call("uses", "GET", OWN, scope="data:read"),
    Call("withheld-uses", "GET", OWN, scope="data:read"),
    Call("use-proof", "GET", HERS, _a_bound_use, scope="data:read", leaves="rights.proof.downloaded"),
    Call("use-proofs", "GET", OWN, scope="data:read", leaves="rights.proof.downloaded"),
    Call("recipients", "GET", OWN, scope="data:read"),
    Call("recipient", "GET", HERS, _disclosed, scope="data:read"),
    Call("records", "GET", OWN, lambda person: (("account",), None), scope="data:read", leaves="privacy.data.opened"),
    Call("permissions", "GET", OWN, scope="permissions:read"),
    Call("permission", "GET", OWN, lambda person: (("account",), None), scope="permissions:read"),
    Call("permission", "PUT", OWN, _yes, scope="permissions:write"),
    Call("permission", "DELETE", OWN, lambda person: (("improvement",), None), 204, "permissions:write", leaves="consent.permission.withdrawn"),
    Call("decisions", "GET", OWN, lambda person: (("account",), None), scope="permissions:read"),
    Call("approvals", "GET", OWN, scope="permissions:read"),
    Call("approval", "PUT", OWN, _a_researcher, scope="permissions:write", leaves="consent.permission.given"),
    Call("approval", "DELETE", OWN, _a_researcher, 204, "permissions:write"),
    Call("requests", "GET", OWN, scope="requests:read"),
    Call("request", "GET", HERS, lambda person: ((_a_copy(person).pk,), None), scope="requests:read"),
    Call("copies", "POST", OWN, status=201, scope="requests:write", leaves="rights.request.made"),
    Call("corrections", "POST", HERS, _correctable, 201, "requests:write", leaves="rights.request.made"),
    Call("correctable", "GET", OWN, scope="requests:read"),
    Call("erasure-plan", "GET", OWN, scope="requests:read"),
    Call(
        "erasures", "POST", OWN, lambda person: ((), {"password": PASSWORD}), 201, with_password=True, leaves="rights.request.made"
    ),
    Call("freezes", "POST", OWN, lambda person: ((), {"categories": ["interaction"]}), 201, "requests:write", leaves="rights.restriction.begun"),
    Call("objections", "GET", OWN, scope="requests:read"),
    Call("objections", "POST", OWN, lambda person: ((), {"purpose": "improvement"}), 201, "requests:write", leaves="rights.request.made"),
    Call("cancel-request", "POST", HERS, lambda person: ((_an_erasure(person).pk,), None), scope="requests:write", leaves="rights.request.canceled"),
    Call("lift", "POST", HERS, lambda person: ((_a_freeze(person).pk,), None), scope="requests:write", leaves="rights.restriction.lifted"),
    Call(
        "download", "POST", HERS, lambda person: ((_a_copy(person).pk,), {"password": PASSWORD}),
        with_password=True, leaves="rights.export.downloaded",
    ),
]  # fmt: skip
