"""A world with something on every page, made by the actions: two customers, a guest, staff of every role, and what they did.

A room whose pages need more adds a part: a function that makes it and keeps it as an attribute of the world.
Parts run in the order in which they stand here, each in transactions of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.core.mail import EmailMessage
from django.test import Client, override_settings
from django.utils import timezone

from audit.actions import integrate_entries, verify_log
from audit.events import Event
from audit.models import Checkpoint, Entry, Verification
from marketplace.accounts.actions import invite_staff, make_token
from marketplace.accounts.middleware import PASSED_AT
from marketplace.accounts.models import AccountToken, User
from marketplace.accounts.tokens import issue_token
from marketplace.demo.mail import MailboxBackend, newest_mails
from marketplace.demo.operator import name_demo_operator
from marketplace.demo.partners import register_demo_partners
from orders.catalogue.actions import add_category
from orders.catalogue.models import Product, ProductCategory
from orders.checkout.actions import ORDER_PURPOSES
from orders.guests.links import issue_link
from orders.lifecycle.actions import cancel_order
from orders.lifecycle.models import Order
from orders.parcels.actions import deliver_parcel
from orders.rates.models import ShippingRate, TaxRate
from orders.withdrawals.actions import declare_withdrawal, receive_goods, refund_withdrawal
from privacy.access.approvals.actions import approve_proposal, propose
from privacy.access.approvals.kinds import fingerprint_of, kind_named
from privacy.access.approvals.models import Proposal, ProposalRun
from privacy.access.gate import open_access, unit_of_work
from privacy.access.models import Opening
from privacy.access.overrides.actions import end_override
from privacy.access.overrides.models import MatrixOverride
from privacy.access.oversight.actions import close_openings
from privacy.access.oversight.drawing import draw_sample
from privacy.access.oversight.models import OpeningClosure, Review
from privacy.access.registrations import MATRIX_OVERRIDE
from privacy.access.silences.models import Silence
from privacy.access.silences.registrations import SILENCE
from privacy.alerts.models import Alert
from privacy.complaints.actions import open_ticket, outside, resolve_ticket, save_canned_reply, withdraw_ticket, write_from_outside
from privacy.complaints.attachments import clean_file
from privacy.complaints.models import CannedReply, Ticket
from privacy.consent.actions import give_consent
from privacy.declarations.purposes import Purpose
from privacy.interface.areas import TokenScope
from privacy.policy.actions import publish_policy
from privacy.policy.models import NOTICE_PERIOD, OperatorIdentity, PolicyVersion
from privacy.policy.roles import ANONYMOUS, Actor, Role
from privacy.publication.actions import start_draft
from privacy.retention.actions import start_purge
from privacy.retention.holds import place_hold
from privacy.retention.models import Hold
from privacy.rights import steps
from privacy.rights.actions import correct_record, request_copy, request_erasure, start_due_erasures
from privacy.rights.corrections import propose_correction
from privacy.rights.models import ErasureJob, ReceiptLink, Request
from privacy.rights.restrictions import object_to_use
from privacy.sharing.actions import tell_holders
from privacy.sharing.models import Agreement, FollowUp, Recipient
from privacy.staff_exports.models import StaffExport
from privacy.staff_exports.registrations import STAFF_EXPORT
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from tests.accounts import people
from tests.guests import guest_client
from tests.orders import factories
from tests.orders.factories import actor
from tests.pages.table import ADMINISTRATOR, CUSTOMER, GUEST, HALF, OTHER, PRIVACY_OFFICER, STAFF, SUPPORT, VISITOR, Who
from tests.privacy.rights.people import disclose_to, mails_sent, perform

TEST = Actor.job("test")
EVERYTHING = (Purpose.ACCOUNT, *ORDER_PURPOSES, Purpose.IMPROVEMENT)
RECEIPT_TOKEN = "the-receipt-of-somebody-who-left"


def canaries_of(who: Who) -> dict[str, str]:
    """Personal values that nobody else has: whatever page shows one of them shows this very person's data."""
    mark = {CUSTOMER: "Kanarka", OTHER: "Zeisigo", GUEST: "Finkova"}[who]
    return {
        "name": f"{mark} Nameson",
        "email": f"{mark.lower()}@example.org",
        "addressee": f"{mark} Addressee",
        "line1": f"{mark}street 7",
        "locality": f"{mark}town",
        "message": f"{mark} wrote this",
    }


def address_of(values: dict[str, str]) -> dict[str, str]:
    return {"addressee": values["addressee"], "line1": values["line1"], "postcode": "10115", "locality": values["locality"]}


CANARY_MARKS = {who: canaries_of(who)["name"].split()[0] for who in (CUSTOMER, OTHER, GUEST)}


class World:
    """What the parts made, by name; and a client for everybody who may come by."""

    clients: dict[Who, Client]
    users: dict[Who, User]

    def __init__(self) -> None:
        self.clients = {VISITOR: Client()}
        self.users = {}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"no part of tests/pages/world.py makes `{name}`")

    @property
    def customer(self) -> User:
        return self.users[CUSTOMER]

    @property
    def other(self) -> User:
        return self.users[OTHER]

    def place(self, make: Callable[..., Order], who: Who = CUSTOMER, **how: Any) -> Order:
        """An order of this customer, brought as far as ``make`` (of the factories) does."""
        return make(user=self.users[who], address=address_of(canaries_of(who)), **how)


Part = Callable[[World], None]
_parts: list[Part] = []
_growth: list[Part] = []


def part(make: Part) -> Part:
    """Decorator: something that the world has from the beginning."""
    _parts.append(make)
    return make


def growth(make: Part) -> Part:
    """Decorator: one more of everything that a list shows; called again and again by `grow`."""
    _growth.append(make)
    return make


def make_world() -> World:
    world = World()
    for make in _parts:
        make(world)
    return world


def grow(world: World, times: int) -> None:
    """Make every list longer by ``times``."""
    for _ in range(times):
        for make in _growth:
            make(world)


# What there is


@part
def shop(world: World) -> None:
    with unit_of_work():
        register_demo_partners(by=TEST)
        name_demo_operator(by=TEST)
    things = ProductCategory(slug="things", title="Things", kind="mug")
    world.category = add_category(by=factories.SETUP, category=things)
    world.product = factories.make_product(slug="stoneware-thing", title="Stoneware thing", on_hand=1000, category=world.category)
    world.first_movement = world.product.movements.get()
    world.tax_rate, world.shipping_rate = TaxRate.objects.first(), ShippingRate.objects.first()


@part
def customers(world: World) -> None:
    for who in (CUSTOMER, OTHER):
        values = canaries_of(who)
        user = people.make_customer(values["email"], values["name"], EVERYTHING)
        world.users[who] = user
        world.clients[who] = factories.client_of(user)


@part
def staff(world: World) -> None:
    for who in STAFF:
        world.users[who] = people.make_staff(Role(who.value), f"{who.value.replace('_', '-')}@example.org")
        world.clients[who] = signed_in_staff(world.users[who])
    world.users[HALF] = people.make_staff(Role.SUPPORT, "half@example.org", enrolled=False)
    world.clients[HALF] = factories.client_of(world.users[HALF])


def signed_in_staff(user: User) -> Client:
    """With the second factor given just now."""
    client = factories.client_of(user)
    session = client.session
    session[PASSED_AT] = timezone.now().isoformat()
    session.save()
    return client


@part
def orders(world: World) -> None:
    items = [(world.product, 2)]
    world.placed = world.place(factories.place, items=items)
    world.received = world.place(factories.received, items=items)
    world.declined = factories.settle(world.place(factories.place, items=items), "authorize", "declined")
    world.delivered = delivered(world, items)
    world.others_order = world.place(factories.confirmed, OTHER, items=items)
    canceled = world.place(factories.received, items=items)
    with unit_of_work():
        world.canceled = cancel_order(by=world.customer.actor, order=canceled, reason="by_customer")


def delivered(world: World, items: list[tuple[Product, int]]) -> Order:
    order = world.place(factories.handed_over, items=items)
    with unit_of_work():
        deliver_parcel(by=actor(Role.FULFILLMENT), parcel=factories.parcel_of(order))
    return factories.fresh(order)


@part
def guest(world: World) -> None:
    """Somebody who bought without an account and followed the link in a mail."""
    values = canaries_of(GUEST)
    how = {"name": values["name"], "email": values["email"], "address": address_of(values)}
    world.guests_order = factories.received(order=factories.place_as_guest(items=[(world.product, 1)], **how))
    world.clients[GUEST] = guest_client(world.guests_order.person)


@part
def withdrawals(world: World) -> None:
    """A purchase that was canceled, its goods and its money back; and a link that a guest has not followed yet."""
    order = delivered(world, [(world.product, 2)])
    with unit_of_work():
        world.withdrawal = declare_withdrawal(by=world.customer.actor, order=order, token=uuid4())
        receive_goods(by=TEST, withdrawal=world.withdrawal, to_stock=True)
        refund_withdrawal(by=TEST, withdrawal=world.withdrawal)
    world.withdrawn = factories.settle(order, "refund")
    world.guest_token = issue_link(world.guests_order, timedelta(minutes=15)).split("/")[-2]


@part
def baskets(world: World) -> None:
    for who in (VISITOR, CUSTOMER, OTHER, GUEST, *STAFF):
        world.clients[who].post(f"/basket/{world.product.slug}/add/", {"quantity": 1})


@part
def mailed_links(world: World) -> None:
    waiting = people.make_unconfirmed("waiting@example.org", "Somebody Waiting")
    world.confirm_token = issue_token(waiting, AccountToken.Kind.CONFIRM)
    world.reset_token = issue_token(world.other, AccountToken.Kind.RESET)
    world.agree_token = issue_token(world.other, AccountToken.Kind.AGREE)
    world.refuse_token = issue_token(world.other, AccountToken.Kind.REFUSE)
    world.enroll_token = issue_token(world.users[HALF], AccountToken.Kind.ENROLL)
    with unit_of_work():
        invited = invite_staff(by=TEST, invitation=uuid7(), email="invited@example.org", role=Role.SUPPORT)
    world.invitation_token = issue_token(invited, AccountToken.Kind.INVITE)


@part
def uses(world: World) -> None:
    open_by_support(world)
    world.opening = Opening.objects.latest("opened_at")
    world.disclosure = disclose_to(world.customer)
    tell_holders(by=TEST, subject_id=world.customer.subject_id, kind=FollowUp.Kind.CORRECTION)
    world.follow_up = FollowUp.objects.latest("id")
    world.recipient = Recipient.objects.get(slug="carrier")
    world.agreement = Agreement.objects.latest("id")


@part
def oversight(world: World) -> None:
    """A look that is reviewed, somebody who reached their limit, and the alert of it."""
    another_oversight(world)
    world.review = Review.objects.get(opening_id=world.opening.pk)
    world.closure = OpeningClosure.objects.latest("closed_at")
    world.alert = Alert.objects.get(about_id=world.closure.pk)


def open_by_support(world: World) -> None:
    support, subject = actor(Role.SUPPORT), world.customer.subject
    with (
        unit_of_work(),
        open_access(by=support, purpose=Purpose.ORDER, subject=subject, reason="asked about it", case=world.delivered) as grant,
    ):
        grant.open(world.delivered.contacts.get().name)


@part
def requests(world: World) -> None:
    with unit_of_work():
        world.copy = request_copy(by=world.customer.actor, subject=world.customer.subject)
    perform(world.copy.export)
    world.correction = correct_name(world)
    with unit_of_work():
        world.others_erasure = request_erasure(by=world.other.actor, subject=world.other.subject)


def correct_name(world: World) -> Request:
    name = canaries_of(CUSTOMER)["name"]
    with unit_of_work():
        return correct_record(by=world.customer.actor, record=world.customer.details, changes={"name": name})


@part
def decisions_to_come(world: World) -> None:
    """A correction that somebody must decide, an objection, and a record that could be corrected the same way."""
    me, to_correct = world.customer.actor, world.canceled.addresses.get()
    with unit_of_work():
        values = {"field": "locality", "value": canaries_of(CUSTOMER)["locality"], "reason": canaries_of(CUSTOMER)["message"]}
        world.proposal = propose_correction(by=me, record=to_correct, **values)
        world.objection = object_to_use(by=me, subject=world.customer.subject, purpose=Purpose.IMPROVEMENT)
    world.correctable = world.delivered.addresses.get()


@part
def somebody_who_left(world: World) -> None:
    """Erased to the end; what is left of them is a receipt, which whoever has its link can read."""
    leaver = people.make_customer("leaver@example.org", "Somebody Leaving", EVERYTHING)
    with unit_of_work():
        asked = request_erasure(by=leaver.actor, subject=leaver.subject)
    Request.objects.filter(pk=asked.pk).update(effective_at=timezone.now())
    start_due_erasures()
    job = ErasureJob.objects.get(request=asked)
    mails_sent()
    steps.tell_person(job)
    mails_sent()
    perform(job)
    world.receipt = Request.objects.get(pk=asked.pk).receipt
    world.receipt_token = RECEIPT_TOKEN
    digest = hashlib.sha256(RECEIPT_TOKEN.encode()).digest()
    ReceiptLink.objects.create(request=asked, digest=digest, expires_at=timezone.now() + timedelta(days=1))


@part
def policy_announced(world: World) -> None:
    """Version 2, not in force yet."""
    in_force = PolicyVersion.objects.get(number=1)
    texts = {
        text.locale: {"title": text.title, "summary": [*text.summary, "One sentence more."], "sections": text.sections}
        for text in in_force.texts.all()
    }
    purposes = [Purpose(purpose) for purpose in in_force.purposes]
    with unit_of_work():
        world.policy = publish_policy(
            by=TEST, number=2, texts=texts, purposes=purposes, effective_at=timezone.now() + NOTICE_PERIOD + timedelta(days=1)
        )


@part
def policy_to_come(world: World) -> None:
    """A draft of the version after the next."""
    with unit_of_work():
        world.draft = start_draft(by=actor(Role.ADMINISTRATOR))
    world.operator = OperatorIdentity.objects.latest("number")


@part
def messages(world: World) -> None:
    """A ticket with a file and one that was answered; somebody outside wrote too, and proves the mailbox."""
    files = [clean_file("crack.txt", b"It is here.")]
    world.ticket = write_to_us(world, files=files)
    world.answered = write_to_us(world)
    answer = {"outcome": Ticket.Outcome.UPHELD, "answer": "You are right.", "token": uuid4()}
    with unit_of_work():
        resolve_ticket(by=actor(Role.SUPPORT), ticket=world.answered, **answer)
        reply = CannedReply(title="Thank you", locale="en", body="Thank you for writing.")
        world.canned = save_canned_reply(by=actor(Role.SUPPORT), reply=reply)
        letter = {"email": "outside@example.org", "kind": Ticket.Kind.COMPLAINT, "body": "A mail.", "token": uuid4(), "locale": "en"}
        world.complaint_token, _until = outside.issue_link(write_from_outside(by=ANONYMOUS, **letter))


def write_to_us(world: World, **more: Any) -> Ticket:
    me, body = world.customer, canaries_of(CUSTOMER)["message"]
    with unit_of_work():
        return open_ticket(by=me.actor, subject=me.subject, kind=Ticket.Kind.COMPLAINT, body=body, token=uuid4(), **more)


@part
def acts_of_two(world: World) -> None:
    """One that waits, an exception that was made and ended, a hold on somebody, and an export."""
    officer, agent = world.users[PRIVACY_OFFICER].actor, world.users[SUPPORT].actor
    asked = {"role": "finance", "purpose": "returns", "categories": ["delivery"], "days": 1}
    world.act_of_two = ask_for(world, ADMINISTRATOR, MATRIX_OVERRIDE, asked)
    decided = ask_for(world, ADMINISTRATOR, MATRIX_OVERRIDE, asked)
    approve(officer, decided)
    world.override = MatrixOverride.objects.get(proposal=decided)
    with unit_of_work():
        end_override(by=officer, override=world.override)
        until = timezone.now() + timedelta(days=30)
        world.hold = place_hold(by=officer, subject=Subject.objects.create(), ground=Hold.Ground.CLAIMS, until=until)
    look = Entry.objects.filter(event=Event.DATA_OPENED, actor_role=Role.SUPPORT, subject_id=world.customer.subject_id).latest("at")
    day = f"{timezone.now() + timedelta(days=30):%Y-%m-%dT00:00:00Z}"
    withheld = ask_for(world, PRIVACY_OFFICER, SILENCE, {"entries": [str(look.pk)], "ground": "fraud", "until": day})
    approve(world.users[ADMINISTRATOR].actor, withheld)
    world.silence = Silence.objects.get(proposal=withheld)
    with override_settings(STAFF_EXPORTS=True):
        about = {"cases": "orders.order", "ids": [str(world.delivered.pk)]}
        chosen = {"purpose": "order", "categories": ["account"], "role": agent.role}
        exported = ask_for(world, SUPPORT, STAFF_EXPORT, about | chosen)
        approve(officer, exported)
        world.staff_export = perform(StaffExport.objects.get(proposal=exported))


def ask_for(world: World, who: Who, kind: str, parameters: dict[str, Any]) -> Proposal:
    with unit_of_work():
        return propose(by=world.users[who].actor, kind=kind, parameters=parameters, why="the till is broken", id=uuid7())


def approve(by: Actor, proposal: Proposal) -> None:
    with unit_of_work():
        plan = kind_named(proposal.kind).describe(proposal.parameters)
        approve_proposal(by=by, proposal=proposal, seen=fingerprint_of(proposal.kind, proposal.parameters, plan))
    perform(ProposalRun.objects.get(proposal=proposal))


@part
def programs(world: World) -> None:
    with unit_of_work():
        scopes = [TokenScope.ORDERS_READ]
        world.token, _secret = make_token(by=world.customer.actor, user=world.customer, scopes=scopes, lasts=timedelta(days=30))


@part
def mailbox(world: World) -> None:
    MailboxBackend().send_messages([EmailMessage("Your order", "It is on its way.", to=["somebody@example.org"])])
    world.mail_id = newest_mails()[0].id


@part
def upkeep(world: World) -> None:
    """A purge, and the log sealed and verified."""
    world.purge = perform(start_purge(by=TEST, at_once=False))
    integrate_entries()
    verify_log()
    world.entry = Entry.objects.filter(subject_id=world.customer.subject_id).latest("id")
    world.checkpoint = Checkpoint.objects.latest("size")
    world.verification = Verification.objects.latest("id")


# What there is more of when the world grows


@growth
def another_order(world: World) -> None:
    delivered(world, [(factories.make_product(), 1)])
    world.place(factories.received, OTHER, items=[(world.product, 1)])


@growth
def another_use(world: World) -> None:
    open_by_support(world)
    disclose_to(world.customer)
    tell_holders(by=TEST, subject_id=world.customer.subject_id, kind=FollowUp.Kind.CORRECTION)


@growth
def another_oversight(world: World) -> None:
    with override_settings(REVIEWS_A_WEEK=1000), unit_of_work():
        draw_sample(by=TEST)
        close_openings(actor_id=uuid7(), role=Role.SUPPORT, people=61)


@growth
def another_request(world: World) -> None:
    correct_name(world)


@growth
def another_permission(world: World) -> None:
    with unit_of_work():
        give_consent(by=world.customer.actor, subject=world.customer.subject, purpose=Purpose.IMPROVEMENT, locale="en")


@growth
def another_message(world: World) -> None:
    earlier = timezone.now() - timedelta(hours=Ticket.objects.count())
    ticket = write_to_us(world, at=earlier)
    with unit_of_work():
        withdraw_ticket(by=world.customer.actor, ticket=ticket, at=earlier)


@growth
def another_act_of_two(world: World) -> None:
    ask_for(world, ADMINISTRATOR, MATRIX_OVERRIDE, {"role": "finance", "purpose": "returns", "categories": ["delivery"], "days": 1})


@growth
def another_account(world: World) -> None:
    factories.make_customer(name="Somebody Else")
