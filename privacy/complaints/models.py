"""Tickets: what a person asks or complains about, how far we are, and by when (RIGHTS-5, RIGHTS-9).

The ticket itself names nobody and stays as evidence that it was answered. What was written lies sealed in rows
beside it, messages and notes in tables of their own: what is in the one table is read by the person the moment
it is written, what is in the other is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.record import Reference
from privacy.access.assignment import ASSIGNMENT_FIELDS, Assignable
from privacy.declarations import masks
from privacy.declarations.categories import Category
from privacy.declarations.lifetimes import Lifetime, months
from privacy.declarations.purposes import Purpose
from privacy.declarations.walls import Wall
from privacy.policy.roles import Role
from privacy.rights.models import new_code
from privacy.vault.fields import personal
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord
from privacy.wall.uniqueness import UniqueByHash

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager

BODY_MAX = 5000

# A year: complaint handling has to stay open for at least six months after a decision (DSA Art. 20), and somebody
# who goes to the authority afterwards needs what was written. The floors of commercial law (six years for letters
# about a sale, HGB § 257) are met by the records of orders and invoices, not by conversations.
CONVERSATION = Lifetime(
    purposes=[Purpose.SUPPORT, Purpose.RIGHTS],
    starts="ticket__closed_at",
    lasts=months(12),
    until=_("12 months after the message is closed, so that you can still take it to the authority"),
)


class Ticket(Assignable):
    """One question or complaint of one person. Kept as evidence of what became of it, and when; names nobody.

    It reaches us when it is open; one written without an account is unconfirmed before, seen by no member of
    staff, and deleted after a day. ``unanswered_since`` is when the oldest message came that we have not answered,
    ``version`` grows with every change, so that a page can tell whether it is out of date.
    """

    class Kind(models.TextChoices):
        QUESTION = "question", _("Question")
        COMPLAINT = "complaint", _("Complaint")
        PRIVACY = "privacy", _("Data and privacy rights")
        MISUSE = "misuse", _("Suspected misuse of data")

    class State(models.TextChoices):
        UNCONFIRMED = "unconfirmed", _("not confirmed")
        OPEN = "open", _("open")
        WAITING = "waiting", _("waiting for a reply")
        RESOLVED = "resolved", _("answered")
        CLOSED = "closed", _("closed")

    class Outcome(models.TextChoices):
        UPHELD = "upheld", _("We agree with you")
        PARTLY_UPHELD = "partly_upheld", _("We agree with you in part")
        NOT_UPHELD = "not_upheld", _("We do not agree")
        ANSWERED = "answered", _("We answered your question")
        WITHDRAWN = "withdrawn", _("You took it back")

    IN_WORK: ClassVar = (State.OPEN, State.WAITING)
    LIVE: ClassVar = (State.UNCONFIRMED, *IN_WORK, State.RESOLVED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(_("reference"), max_length=8, default=new_code, editable=False)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.OPEN)
    about_label = models.CharField(max_length=80, blank=True)
    about_id = models.UUIDField(null=True)
    locale = models.CharField(_("language"), max_length=12)
    form_token = models.UUIDField()
    opened_at = models.DateTimeField(_("received"), default=timezone.now)
    due_at = models.DateTimeField(_("to be answered by"))
    first_answered_at = models.DateTimeField(_("first answered"), null=True)
    unanswered_since = models.DateTimeField(_("unanswered since"), null=True)
    waiting_since = models.DateTimeField(_("waiting since"), null=True)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, blank=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True)
    reopen_until = models.DateTimeField(_("can be reopened until"), null=True)
    reopened = models.PositiveSmallIntegerField(_("times reopened"), default=0)
    closed_at = models.DateTimeField(_("closed"), null=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True)
    escalated_at = models.DateTimeField(_("escalated"), null=True)
    version = models.PositiveIntegerField(default=0)

    subject_id: UUID
    events: RelatedManager[TicketEvent]

    wall = Wall.SUBJECT.granting(
        customer="SELECT, INSERT, UPDATE (state, outcome, due_at, waiting_since, unanswered_since, resolved_at,"
        " reopen_until, reopened, reminded_at, escalated_at, version)",
        gate="SELECT (id, subject_id)",
    )
    not_personal = {
        **ASSIGNMENT_FIELDS,
        "code": "random reference",
        "subject": "random id of the person",
        "kind": "one of four",
        "state": "how far it is",
        "about_label": "kind of thing that it is about",
        "about_id": "random id of that thing",
        "locale": "language of the answer, shared by millions",
        "form_token": "random number of the form",
        "opened_at": "when",
        "due_at": "the legal deadline",
        "first_answered_at": "when",
        "unanswered_since": "when",
        "waiting_since": "when",
        "outcome": "one word from a closed list",
        "resolved_at": "when",
        "reopen_until": "end of the time to disagree",
        "reopened": "how often",
        "closed_at": "when",
        "reminded_at": "when",
        "escalated_at": "when",
        "version": "number of changes",
    }

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        indexes = [
            models.Index(fields=["subject", "-opened_at"], name="ticket_by_subject"),
            models.Index(fields=["state", "due_at"], name="ticket_by_state"),
            models.Index(fields=["assigned_to", "due_at"], name="ticket_by_agent", condition=Q(closed_at=None)),
            models.Index(fields=["kind", "-opened_at"], name="ticket_by_kind"),
        ]
        constraints = [
            UniqueByHash(field="code", name="one_ticket_per_code"),
            models.UniqueConstraint(fields=["subject", "form_token"], name="one_ticket_per_form"),
            models.CheckConstraint(
                condition=Q(state="resolved", resolved_at__isnull=False, reopen_until__isnull=False, closed_at=None)
                | Q(state="closed", resolved_at__isnull=False, closed_at__gte=F("resolved_at"))
                | Q(state__in=["unconfirmed", "open", "waiting"], resolved_at=None, reopen_until=None, closed_at=None),
                name="ticket_end_has_moments",
            ),
            models.CheckConstraint(
                condition=Q(outcome="", resolved_at=None) | ~Q(outcome="") & Q(resolved_at__isnull=False), name="ticket_end_has_outcome"
            ),
            models.CheckConstraint(condition=Q(state="waiting") ^ Q(waiting_since=None), name="ticket_waiting_has_moment"),
            models.CheckConstraint(condition=Q(about_label="") ^ Q(about_id__isnull=False), name="ticket_about_is_a_pair"),
        ]

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("privacy:ticket", args=[self.pk])

    @property
    def is_in_work(self) -> bool:
        return self.state in self.IN_WORK

    @property
    def can_be_reopened(self) -> bool:
        return self.state == self.State.RESOLVED and self.reopen_until is not None and timezone.now() < self.reopen_until

    @property
    def stands_still_while_waiting(self) -> bool:
        """The law's month for a privacy right pauses for nothing that we might want to know (GDPR Art. 12(3))."""
        return self.kind in (self.Kind.QUESTION, self.Kind.COMPLAINT)

    @property
    def is_overdue(self) -> bool:
        is_ours = self.state == self.State.OPEN or (self.state == self.State.WAITING and not self.stands_still_while_waiting)
        return is_ours and self.due_at < timezone.now()

    @property
    def about(self) -> Reference | None:
        """What it is about, where the person chose something."""
        return Reference(self.about_label, self.about_id) if self.about_id else None


class TicketEvent(models.Model):
    """One step of a ticket; append-only, codes alone. Kept with the ticket."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("We got your message.")
        TAKEN = "taken", _("One of us is working on it.")
        RELEASED = "released", _("It was given back to the team.")
        REFERRED = "referred", _("Our privacy officer looks into it.")
        ANSWERED = "answered", _("We wrote to you.")
        ASKED = "asked", _("We asked you something.")
        WROTE = "wrote", _("You wrote to us.")
        NOTED = "noted", _("An internal note was written.")
        NO_REPLY = "no_reply", _("We did not hear from you and go on with what we know.")
        REMINDED = "reminded", _("The day is near by which it must be answered.")
        ESCALATED = "escalated", _("We are late.")
        RESOLVED = "resolved", _("We answered.")
        WITHDRAWN = "withdrawn", _("You took it back.")
        REOPENED = "reopened", _("You asked us to look again.")
        CLOSED = "closed", _("It is closed.")

    INTERNAL: ClassVar = (Kind.RELEASED, Kind.NOTED, Kind.REMINDED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind)
    role = models.CharField(max_length=20, choices=Role)
    code = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(default=timezone.now)

    wall = Wall.through("ticket")
    append_only = True
    not_personal = {
        "ticket": "the ticket it belongs to",
        "kind": "what happened",
        "role": "in which role somebody did it",
        "code": "a word from a closed list",
        "at": "when",
    }

    class Meta:
        verbose_name = _("step of a ticket")
        verbose_name_plural = _("steps of tickets")
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["ticket", "at"], name="ticket_event_by_ticket")]

    def __str__(self) -> str:
        return self.kind


class TicketEntry(models.Model):
    """A log entry that a person does not understand or does not accept. Kept with the ticket; a reference alone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="entries", db_index=False)
    entry_id = models.UUIDField()

    wall = Wall.through("ticket")
    not_personal = {"ticket": "the ticket it belongs to", "entry_id": "random id of the log entry"}

    class Meta:
        verbose_name = _("log entry of a ticket")
        verbose_name_plural = _("log entries of tickets")
        constraints = [models.UniqueConstraint(fields=["ticket", "entry_id"], name="one_entry_once_per_ticket")]

    def __str__(self) -> str:
        return str(self.entry_id)


class TicketContact(PersonalRecord):
    """The mailbox of somebody without an account. Destroyed 12 months after the message is closed."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="contacts", db_index=False)
    email = personal(models.EmailField(_("email address for our answer"), max_length=254), Category.INTERACTION, mask=masks.email)

    lifetime = CONVERSATION
    not_personal = {"ticket": "the ticket it belongs to"}

    class Meta:
        verbose_name = _("contact for a message")
        verbose_name_plural = _("contacts for messages")
        constraints = [models.UniqueConstraint(fields=["subject", "ticket"], name="one_contact_per_ticket")]

    def describe(self) -> str:
        return _message(self.ticket)


class PublicMessage(PersonalRecord):
    """What the person wrote to us or we wrote to them. Destroyed 12 months after the ticket is closed."""

    class Author(models.TextChoices):
        CUSTOMER = "customer", _("you")
        STAFF = "staff", _("us")

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="messages", db_index=False)
    author = models.CharField(_("written by"), max_length=10, choices=Author)
    author_id = models.UUIDField()
    form_token = models.UUIDField()
    written_at = models.DateTimeField(_("written"), default=timezone.now)
    body = personal(models.TextField(_("message"), max_length=BODY_MAX), Category.INTERACTION)

    lifetime = CONVERSATION
    not_personal = {
        "ticket": "the ticket it belongs to",
        "author": "the person or our staff",
        "author_id": "random id of whoever wrote it",
        "form_token": "random number of the form",
        "written_at": "when",
    }

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [models.Index(fields=["subject", "ticket", "written_at"], name="message_by_ticket")]
        constraints = [models.UniqueConstraint(fields=["subject", "form_token"], name="one_message_per_form")]

    def describe(self) -> str:
        return _message(self.ticket)


class InternalNote(PersonalRecord):
    """What staff noted while they looked into it. Destroyed 12 months after the ticket is closed.

    It is about the person, so it is in their copy and on their data page like everything else (GDPR Art. 15).
    """

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="notes", db_index=False)
    author_id = models.UUIDField()
    form_token = models.UUIDField()
    written_at = models.DateTimeField(_("written"), default=timezone.now)
    body = personal(models.TextField(_("note of our staff"), max_length=BODY_MAX), Category.INTERACTION)

    wall = Wall.SUBJECT.granting(customer="SELECT")
    lifetime = CONVERSATION
    not_personal = {
        "ticket": "the ticket it belongs to",
        "author_id": "random id of whoever wrote it",
        "form_token": "random number of the form",
        "written_at": "when",
    }

    class Meta:
        verbose_name = _("internal note of our staff about your message")
        verbose_name_plural = _("internal notes of our staff about your messages")
        indexes = [models.Index(fields=["subject", "ticket", "written_at"], name="note_by_ticket")]
        constraints = [models.UniqueConstraint(fields=["subject", "form_token"], name="one_note_per_form")]

    def describe(self) -> str:
        return _message(self.ticket)


class TicketFile(models.Model):
    """A sealed file in the storage, under a random name. Deleted with its file when no attachment needs it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80, unique=True)
    stored_at = models.DateTimeField(default=timezone.now)

    wall = Wall.PUBLIC.granting(customer="SELECT, INSERT", gate="")
    not_personal = {"name": "random name of the sealed file", "stored_at": "when"}

    class Meta:
        verbose_name = _("sealed file")
        verbose_name_plural = _("sealed files")

    def __str__(self) -> str:
        return self.name


class TicketAttachment(PersonalRecord):
    """A file sent with a message, cleaned of what was hidden in it. Destroyed 12 months after the ticket is closed."""

    class Kind(models.TextChoices):
        """By content, never by the name that the file came with."""

        JPEG = "jpeg", _("picture (JPEG)")
        PNG = "png", _("picture (PNG)")
        WEBP = "webp", _("picture (WebP)")
        PDF = "pdf", _("PDF document")
        TEXT = "text", _("text")

    message = models.ForeignKey(PublicMessage, models.CASCADE, related_name="attachments", db_index=False)
    file = models.OneToOneField(TicketFile, models.PROTECT, related_name="attachment")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(_("type"), max_length=8, choices=Kind)
    size = models.PositiveIntegerField(_("bytes"))
    name = personal(models.CharField(_("name of the file"), max_length=200), Category.INTERACTION)

    lifetime = Lifetime(CONVERSATION.purposes, f"message__{CONVERSATION.starts}", CONVERSATION.lasts, CONVERSATION.until)
    not_personal = {
        "message": "the message it came with",
        "file": "the sealed file",
        "position": "its place among the files of the message",
        "kind": "type of the file",
        "size": "length of the file",
    }

    class Meta:
        verbose_name = _("file sent with a message")
        verbose_name_plural = _("files sent with messages")
        constraints = [models.UniqueConstraint(fields=["subject", "message", "position"], name="one_file_per_position")]

    def describe(self) -> str:
        return _message(self.message.ticket)


class TicketLink(models.Model):
    """A mailed link to a ticket for somebody without an account. Stored nowhere itself; destroyed a day after it expires."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="links")
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    wall = Wall.through("ticket").granting(customer="SELECT, UPDATE (used_at)", gate="SELECT", staff="SELECT")
    wall = wall.keeping("digest", to=("customer", "gate"))
    not_personal = {
        "ticket": "the ticket it leads to",
        "digest": "SHA-256 of a random value",
        "expires_at": "when it stops working",
        "used_at": "when it was used",
    }

    class Meta:
        verbose_name = _("link to a ticket")
        verbose_name_plural = _("links to tickets")
        constraints = [UniqueByHash(field="digest", name="one_ticket_link_per_digest")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class CannedReply(models.Model):
    """A text of ours that staff put into an answer. About nobody; kept until staff retire it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    title = models.CharField(_("title"), max_length=80)
    locale = models.CharField(_("language"), max_length=12)
    body = models.TextField(_("text"), max_length=BODY_MAX, help_text=_("The same words for everybody: no names, no addresses, no orders."))
    is_active = models.BooleanField(_("offered"), default=True)

    wall = Wall.STAFF
    not_personal = {
        "title": "short name of the text",
        "locale": "its language",
        "body": "our own words, the same for everybody",
        "is_active": "whether it is offered",
    }

    class Meta:
        verbose_name = _("prepared answer")
        verbose_name_plural = _("prepared answers")
        ordering = ["locale", "title"]
        constraints = [models.UniqueConstraint(fields=["locale", "title"], name="one_prepared_answer_per_title")]

    def __str__(self) -> str:
        return self.title


def _message(ticket: Ticket) -> str:
    return gettext("message %(code)s") % {"code": ticket.code}
