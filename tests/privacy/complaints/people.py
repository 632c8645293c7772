"""Tickets and the people around them, made by the actions."""

from io import BytesIO
from uuid import uuid4

from PIL import Image

from audit.models import Entry
from privacy.access.gate import unit_of_work
from privacy.complaints.actions import open_ticket, post_message, resolve_ticket
from privacy.complaints.attachments import clean_file
from privacy.complaints.models import Ticket
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject
from tests.accounts.people import make_staff, staff_client
from tests.orders.factories import UNWRITABLE, actor, client_of, count_queries, make_customer

__all__ = ["UNWRITABLE", "actor", "client_of", "count_queries", "make_customer", "staff_client"]

CANARY = "Marker words that nobody else may see"
JOB = Actor.job("test")


def ask(user=None, kind=Ticket.Kind.COMPLAINT, body=CANARY, **more):
    user = user or make_customer()
    with unit_of_work():
        return open_ticket(by=user.actor, subject=user.subject, kind=kind, body=body, **{"token": uuid4(), **more})


def agent_of(ticket):
    """Whoever has it, or somebody of support while nobody has."""
    agent = fresh(ticket).assigned_to_id
    return Actor(Role.SUPPORT, agent) if agent else actor(Role.SUPPORT)


def answer(ticket, by=None, body="Marker answer of ours", **more):
    with unit_of_work():
        return post_message(by=by or agent_of(ticket), ticket=ticket, body=body, **{"token": uuid4(), **more})


def resolve(ticket, by=None, outcome=Ticket.Outcome.UPHELD, **more):
    with unit_of_work():
        return resolve_ticket(by=by or agent_of(ticket), ticket=ticket, outcome=outcome, answer="Marker end", **{"token": uuid4(), **more})


def person_of(ticket):
    return Actor(Role.CUSTOMER, id=ticket.subject_id)


def fresh(ticket):
    return Ticket.objects.get(pk=ticket.pk)


def entries(event, **more):
    return Entry.objects.filter(event=event, **more).count()


def agent_client(role=Role.SUPPORT):
    """(member of staff, their browser)"""
    email = f"{role}-{uuid4().hex[:6]}@example.org"
    user = make_staff(role, email)
    return user, staff_client(user, email)


def staff_actor(role):
    return Actor(role, Subject.objects.create(kind=Subject.Kind.STAFF).pk)


def picture(kind="JPEG", size=(40, 30), **how) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **how)
    return out.getvalue()


def text_file(words="Marker text"):
    return clean_file("Marker name.txt", words.encode())
