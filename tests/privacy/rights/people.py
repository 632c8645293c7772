"""People about whom everything is held that the declarations allow, for tests of walk, copy, erasure and purge."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from marketplace.accounts.models import PendingMailbox, SecondFactor, User
from orders.lifecycle.models import Order
from orders.payments.actions import refund_order
from orders.payments.models import PaymentOperation
from privacy.access.gate import open_access, unit_of_work
from privacy.access.models import Opening
from privacy.access.oversight.models import ReadTrait
from privacy.complaints.actions import open_ticket, resolve_ticket, write_note
from privacy.complaints.attachments import clean_file
from privacy.complaints.models import Ticket, TicketContact
from privacy.declarations.purposes import Purpose
from privacy.jobs.actions import perform_job
from privacy.mail.models import OutboundMail
from privacy.policy.roles import Actor, Role
from privacy.retention.walker import record_models
from privacy.rights.models import Request, RequestDetail
from privacy.sharing.models import Disclosure, Recipient
from privacy.vault.models import Subject
from tests.orders import factories

UNWRITABLE = factories.UNWRITABLE
JOB = Actor.job("test")


def full_person():
    """A customer with at least one row of every personal model."""
    user = factories.make_customer()
    refund_in_part(factories.packed(user=user))
    open_more(user)
    complain(user)
    user.refresh_from_db()
    missing = [model for model in record_models() if not model._base_manager.filter(subject=user.subject).exists()]
    assert missing == [], "give the full person a row of each of these"
    return user


def refund_in_part(order):
    """A credit note beside the invoice."""
    with unit_of_work():
        refund_order(by=JOB, order=order, amount=100, reason="goodwill")
    factories.settle(order, "refund")


def open_more(user):
    """Rows that no order makes."""
    subject = user.subject
    with unit_of_work():
        with open_access(by=JOB, purpose=Purpose.ACCOUNT, subject=subject, writes=Event.DATA_COLLECTED):
            PendingMailbox.objects.create(subject=subject, user=user, email="marker.pending@example.org")
            SecondFactor.objects.create(subject=subject, user=user, secret="MARKERSECRET")
        officer = factories.actor(Role.PRIVACY_OFFICER)
        with open_access(by=user.actor, purpose=Purpose.RIGHTS, subject=subject, writes=Event.DATA_COLLECTED):
            Opening.objects.create(
                subject=subject, actor_id=officer.id, role=officer.role, purpose=Purpose.RIGHTS, categories=["account"],
                reason="Marker reason",
            )  # fmt: skip
            ReadTrait.objects.create(subject=subject, actor_id=officer.id, role=officer.role, kind=ReadTrait.Kind.NAME, mark=b"mk")
            RequestDetail.objects.create(subject=subject, request=answered_objection(subject), reason="Marker objection")


def complain(user):
    """A complaint with everything that can hang on one, answered and closed."""
    agent, subject = factories.actor(Role.SUPPORT), user.subject
    with unit_of_work():
        ticket = open_ticket(
            by=user.actor, subject=subject, kind=Ticket.Kind.COMPLAINT, body="Marker complaint", token=uuid4(),
            files=[clean_file("marker.txt", b"Marker file")],
        )  # fmt: skip
        write_note(by=agent, ticket=ticket, body="Marker note", token=uuid4())
        with open_access(by=user.actor, purpose=Purpose.SUPPORT, subject=subject, writes=Event.DATA_COLLECTED):
            TicketContact.objects.create(subject=subject, ticket=ticket, email="marker.contact@example.org")
        resolve_ticket(by=agent, ticket=ticket, outcome=Ticket.Outcome.UPHELD, answer="Marker outcome", token=uuid4())
    now = timezone.now()
    Ticket.objects.filter(pk=ticket.pk).update(state="closed", reopen_until=None, resolved_at=now, closed_at=now)


def answered_objection(subject):
    now = timezone.now()
    return Request.objects.create(
        subject=subject, kind="objection", topic="improvement", state="completed", outcome="granted", locale="en",
        made_at=now - timedelta(days=2), due_at=now, completed_at=now,
    )  # fmt: skip


def new_requests():
    """All but the objection that each full person has had answered."""
    return Request.objects.exclude(kind="objection", outcome="granted")


def make_agent():
    """Somebody of support, signed in as far as these pages care."""
    return User.objects.create(subject=Subject.objects.create(kind=Subject.Kind.STAFF), role=Role.SUPPORT)


def disclose_to(user, slug="carrier", categories=("delivery",), purpose=Purpose.DISPATCH):
    return Disclosure.objects.create(
        subject=user.subject, recipient=Recipient.objects.get(slug=slug), purpose=purpose, categories=list(categories), fields=["orders.orderaddress.line1"]
    )  # fmt: skip


def close_orders(user, ago):
    """As if everything about this person's orders had ended that long ago."""
    Order.objects.filter(subject=user.subject).update(state="closed", closed_at=timezone.now() - ago)
    PaymentOperation.objects.filter(payment__order__subject=user.subject).update(outcome="succeeded")


def perform(job):
    """Run a job here and now, as a worker would."""
    type(job)._base_manager.filter(pk=job.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    perform_job(job._meta.label_lower, job.pk)
    job.refresh_from_db()
    return job


def mails_sent():
    OutboundMail.objects.update(state="done", sent_at=timezone.now(), finished_at=timezone.now())


def entries(event, **more):
    return Entry.objects.filter(event=event, **more).count()
