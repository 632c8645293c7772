"""What is done for people: permissions, copies, corrections, erasures, tickets, partners, purges and mail."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from audit.events import Event
from orders.payments.models import PaymentDetail
from privacy.complaints import timers
from privacy.complaints.actions import (
    ask_customer,
    assign_ticket,
    close_ticket,
    close_tickets_of,
    confirm_ticket,
    discard_ticket,
    escalate_ticket,
    open_ticket,
    post_message,
    refer_ticket,
    release_ticket,
    remind_of_ticket,
    reopen_ticket,
    resolve_ticket,
    save_canned_reply,
    send_link_again,
    stop_waiting,
    withdraw_ticket,
    write_from_outside,
    write_note,
)
from privacy.complaints.actions.outside import issue_link
from privacy.complaints.actions.steps import note_step
from privacy.complaints.attachments import CleanFile, open_attachment
from privacy.complaints.models import CannedReply, Ticket, TicketAttachment
from privacy.consent.actions import give_consent, withdraw_consent
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.mail.actions import deliver_mail, queue_mail, record_failed_mail
from privacy.mail.models import OutboundMail
from privacy.policy.roles import ANONYMOUS, Role
from privacy.retention.actions import purge_expired, start_purge
from privacy.retention.holds import place_hold
from privacy.retention.models import Hold
from privacy.rights.actions import (
    begin_erasure,
    cancel_erasure,
    correct_record,
    make_request,
    request_copy,
    request_erasure,
    retry_request,
)
from privacy.rights.assigning import assign_request, release_request
from privacy.rights.copies import delete_all_copies, delete_copy, download_copy, give_up_copy, make_copy
from privacy.rights.corrections import propose_correction
from privacy.rights.decisions import decide_request
from privacy.rights.models import ErasureJob, ExportJob, Receipt, Request
from privacy.rights.replay import replay_erasures
from privacy.rights.restrictions import end_open_matters, freeze_data, lift_restriction, object_to_use
from privacy.rights.steps import (
    close_gate,
    end_kept_records,
    end_keys,
    give_up_erasure,
    issue_receipt,
    note_deleted,
    search_leftovers,
    take_step,
)
from privacy.sharing.actions import confirm_follow_up, decide_approval, disclose, register_recipient, sign_agreement, tell_holders
from privacy.sharing.models import FollowUp, Recipient
from privacy.vault.models import Subject
from tests.orders import factories
from tests.privacy.rights.people import disclose_to
from tests.rules import canaries
from tests.rules.calls.people import TEST, actor, customer, done, order, staff
from tests.rules.calls.table import Keeps, call

Kind, Outcome = Ticket.Kind, Ticket.Outcome


# Permissions


@call(give_consent, writes=[Event.PERMISSION_GIVEN])
def optional():
    user = factories.make_customer(canaries.NAME)
    return lambda: give_consent(by=user.actor, subject=user.subject, purpose=Purpose.IMPROVEMENT)


@call(withdraw_consent, writes=[Event.PERMISSION_WITHDRAWN])
def taken_back():
    user = customer()
    return lambda: withdraw_consent(by=user.actor, subject=user.subject, purpose=Purpose.IMPROVEMENT)


# Copies


def asked_for_copy() -> ExportJob:
    user = customer()
    return ExportJob.objects.get(request=done(lambda: request_copy(by=user.actor, subject=user.subject)))


def copy_made() -> ExportJob:
    job = asked_for_copy()
    make_copy(job=job)
    return ExportJob.objects.get(pk=job.pk)


@call(request_copy, make_request, writes=[Event.REQUEST_MADE])
def of_everything():
    user = customer()
    return lambda: request_copy(by=user.actor, subject=user.subject)


@call(
    make_copy,
    writes=[Event.MESSAGE_QUEUED, Event.DATA_EXPORTED, Event.DATA_OPENED, Event.REQUEST_COMPLETED, Event.REQUEST_STARTED],
    keeps=Keeps.ROUNDS,
)
def by_a_job():
    job = asked_for_copy()
    return lambda: make_copy(job=ExportJob.objects.get(pk=job.pk))


@call(give_up_copy, writes=[Event.REQUEST_FAILED], keeps=Keeps.FILE_GOES_FIRST)
def after_the_last_attempt():
    job = asked_for_copy()
    return lambda: give_up_copy(job=job)


@call(download_copy, writes=[Event.EXPORT_DOWNLOADED])
def by_its_person():
    job = copy_made()
    return lambda: b"".join(download_copy(by=person_of(job.request), request=job.request)[0])


@call(delete_copy, writes=[Event.EXPORT_EXPIRED], keeps=Keeps.FILE_GOES_FIRST)
def after_seven_days():
    job = copy_made()
    return lambda: delete_copy(by=TEST, job=ExportJob.objects.get(pk=job.pk))


@call(delete_all_copies, writes=[Event.REQUEST_CANCELED], keeps=Keeps.FILE_GOES_FIRST)
def with_its_person():
    job = asked_for_copy()
    return lambda: done(lambda: delete_all_copies(by=TEST, subject_id=job.request.subject_id))


def person_of(about: Request | Ticket) -> factories.Actor:
    return factories.Actor(Role.CUSTOMER, about.subject_id)


# Corrections and restrictions


@call(correct_record, writes=[Event.DATA_CORRECTED, Event.REQUEST_COMPLETED, Event.REQUEST_MADE, Event.FOLLOW_UP_ASKED])
def own_name():
    user = customer()
    disclose_to(user, categories=("account",))
    return lambda: correct_record(by=user.actor, record=user.details, changes={"name": canaries.OTHER_NAME})


def proposed() -> Request:
    placed = order(factories.received)
    address = placed.addresses.get()
    values = {"field": "locality", "value": canaries.TOWN, "reason": canaries.WORDS}
    return done(lambda: propose_correction(by=person_of(placed), record=address, **values))


@call(propose_correction, writes=[Event.DATA_COLLECTED, Event.DATA_OPENED, Event.REQUEST_MADE])
def of_an_address():
    placed = order(factories.received)
    address = placed.addresses.get()
    values = {"field": "locality", "value": canaries.TOWN, "reason": canaries.WORDS}
    return lambda: propose_correction(by=person_of(placed), record=address, **values)


@call(decide_request, writes=[Event.MESSAGE_QUEUED, Event.DATA_COLLECTED, Event.DATA_CORRECTED, Event.DATA_OPENED, Event.REQUEST_COMPLETED])
def granted():
    request = proposed()
    by = actor(Role.PRIVACY_OFFICER)
    return lambda: decide_request(by=by, request=request, is_granted=True, answer=canaries.WORDS)


@call(decide_request, writes=[Event.MESSAGE_QUEUED, Event.DATA_COLLECTED, Event.REQUEST_COMPLETED])
def rejected():
    request = objected()
    by = actor(Role.PRIVACY_OFFICER)
    return lambda: decide_request(by=by, request=request, is_granted=False, answer=canaries.WORDS)


def objected() -> Request:
    user = customer()
    how = {"subject": user.subject, "purpose": Purpose.IMPROVEMENT, "reason": canaries.WORDS}
    return done(lambda: object_to_use(by=user.actor, **how))


@call(assign_request, writes=[Event.REQUEST_TAKEN])
def to_an_officer():
    request, by = objected(), staff(Role.PRIVACY_OFFICER).actor
    return lambda: assign_request(by=by, request=request)


@call(release_request, writes=[Event.REQUEST_RELEASED])
def to_the_office():
    request, by = objected(), staff(Role.PRIVACY_OFFICER).actor
    done(lambda: assign_request(by=by, request=request))
    return lambda: release_request(by=by, request=request)


@call(object_to_use, writes=[Event.DATA_COLLECTED, Event.REQUEST_MADE])
def with_a_reason():
    user = customer()
    how = {"subject": user.subject, "purpose": Purpose.IMPROVEMENT, "reason": canaries.WORDS}
    return lambda: object_to_use(by=user.actor, **how)


@call(freeze_data, writes=[Event.RESTRICTION_BEGUN])
def delivery():
    user = customer()
    return lambda: freeze_data(by=user.actor, subject=user.subject, categories=[Category.DELIVERY])


@call(lift_restriction, writes=[Event.RESTRICTION_LIFTED])
def of_an_objection():
    request = objected()
    return lambda: lift_restriction(by=person_of(request), request=request)


@call(end_open_matters, writes=[Event.REQUEST_CANCELED, Event.RESTRICTION_LIFTED])
def with_the_person():
    request = objected()
    return lambda: done(lambda: end_open_matters(request.subject))


# Erasures


def erasure_asked() -> Request:
    user = customer()
    request = done(lambda: request_erasure(by=user.actor, subject=user.subject))
    Request.objects.filter(pk=request.pk).update(effective_at=timezone.now())
    return Request.objects.get(pk=request.pk)


def erasure() -> ErasureJob:
    request = erasure_asked()
    begin_erasure(by=TEST, request=request)
    return ErasureJob.objects.get(request=request)


@call(request_erasure, writes=[Event.MESSAGE_QUEUED, Event.REQUEST_MADE])
def of_oneself():
    user = customer()
    return lambda: request_erasure(by=user.actor, subject=user.subject)


@call(cancel_erasure, writes=[Event.REQUEST_CANCELED])
def second_thoughts():
    request = erasure_asked()
    return lambda: cancel_erasure(by=person_of(request), request=request)


@call(begin_erasure, writes=[Event.REQUEST_STARTED])
def due():
    request = erasure_asked()
    return lambda: begin_erasure(by=TEST, request=request)


@call(retry_request, writes=[Event.REQUEST_STARTED])
def failed_work():
    job = erasure()
    ErasureJob.objects.filter(pk=job.pk).update(state="failed", finished_at=timezone.now(), error="Broken")
    return lambda: retry_request(by=TEST, request=Request.objects.get(pk=job.request_id))


@call(end_keys, take_step, writes=[Event.KEY_DESTROYED], keeps=Keeps.KEYS_END_FIRST)
def of_the_person():
    job = erasure()
    return lambda: take_step(job=ErasureJob.objects.get(pk=job.pk), name="keys_destroyed", act=end_keys)


@call(search_leftovers, writes=[Event.ERASURE_ADVANCED, Event.KEY_DESTROYED], keeps=Keeps.KEYS_END_FIRST)
def written_behind_us():
    job = erasure()
    done(lambda: end_keys(job))
    Subject.objects.filter(pk=job.request.subject_id).update(erased_at=timezone.now())
    return lambda: take_step(job=ErasureJob.objects.get(pk=job.pk), name="leftovers_searched", act=search_leftovers)


@call(note_deleted, writes=[Event.DATA_ERASED])
def rows():
    job = erasure()
    return lambda: take_step(job=ErasureJob.objects.get(pk=job.pk), name="rows_deleted", act=note_deleted)


@call(issue_receipt, writes=[Event.REQUEST_COMPLETED])
def at_the_end():
    job = erasure()
    done(lambda: (close_gate(job), end_keys(job), search_leftovers(job), note_deleted(job)))
    return lambda: take_step(job=ErasureJob.objects.get(pk=job.pk), name="receipt_issued", act=issue_receipt)


@call(end_kept_records, writes=[Event.KEY_DESTROYED], keeps=Keeps.KEYS_END_FIRST)
def kept_no_longer():
    job = erasure()
    done(lambda: (close_gate(job), end_keys(job), search_leftovers(job), issue_receipt(job)))
    Receipt.objects.filter(request=job.request).update(records_ended_at=None)
    return end_kept_records


@call(give_up_erasure, writes=[Event.REQUEST_FAILED])
def in_vain():
    job = erasure()
    return lambda: give_up_erasure(job=job)


@call(
    replay_erasures, writes=[Event.KEY_DESTROYED, Event.ERASURE_ADVANCED, Event.ACCOUNT_CLOSED, Event.ERASURE_REPLAYED], keeps=Keeps.ROUNDS
)
def after_a_restore():
    user = customer()
    line = {"key": str(uuid4()), "at": timezone.now().isoformat(), "subject": str(user.subject_id), "scope": "account"}
    return lambda: replay_erasures(by=TEST, lines=[line])


# Tickets


def clean(name: str = canaries.FILE_NAME) -> CleanFile:
    return CleanFile(name, TicketAttachment.Kind.TEXT, canaries.FILE_CONTENT)


def ticket(kind: Ticket.Kind = Kind.COMPLAINT, **changes: object) -> Ticket:
    user = customer()
    words = {"body": canaries.WORDS, "token": uuid4(), "files": [clean()]}
    opened = done(lambda: open_ticket(by=user.actor, subject=user.subject, kind=kind, **words))
    Ticket.objects.filter(pk=opened.pk).update(**changes)
    return Ticket.objects.get(pk=opened.pk)


def resolved(**changes: object) -> Ticket:
    asked = ticket()
    how = {"outcome": Outcome.UPHELD, "answer": canaries.WORDS, "token": uuid4()}
    done(lambda: resolve_ticket(by=actor(Role.SUPPORT), ticket=asked, **how))
    Ticket.objects.filter(pk=asked.pk).update(**changes)
    return Ticket.objects.get(pk=asked.pk)


@call(open_ticket, note_step, writes=[Event.TICKET_OPENED, Event.MESSAGE_QUEUED, Event.DATA_COLLECTED])
def with_a_file():
    user = customer()
    words = {"kind": Kind.COMPLAINT, "body": canaries.WORDS, "files": [clean()]}
    return lambda: open_ticket(by=user.actor, subject=user.subject, token=uuid4(), **words)


@call(post_message, writes=[Event.TICKET_CUSTOMER_WROTE, Event.DATA_COLLECTED])
def from_the_person():
    asked = ticket()
    return lambda: post_message(by=person_of(asked), ticket=asked, body=canaries.WORDS, token=uuid4(), files=[clean()])


@call(post_message, writes=[Event.TICKET_ANSWERED, Event.MESSAGE_QUEUED, Event.DATA_COLLECTED])
def of_ours():
    asked, by = ticket(), actor(Role.SUPPORT)
    return lambda: post_message(by=by, ticket=asked, body=canaries.WORDS, token=uuid4())


@call(ask_customer, writes=[Event.TICKET_CUSTOMER_ASKED, Event.MESSAGE_QUEUED, Event.DATA_COLLECTED])
def a_question_of_ours():
    asked, by = ticket(), actor(Role.SUPPORT)
    return lambda: ask_customer(by=by, ticket=asked, body=canaries.WORDS, token=uuid4())


@call(resolve_ticket, writes=[Event.TICKET_RESOLVED, Event.MESSAGE_QUEUED, Event.DATA_COLLECTED])
def upheld():
    asked, by = ticket(), actor(Role.SUPPORT)
    return lambda: resolve_ticket(by=by, ticket=asked, outcome=Outcome.UPHELD, answer=canaries.WORDS, token=uuid4())


@call(withdraw_ticket, writes=[Event.TICKET_WITHDRAWN])
def by_its_person_again():
    asked = ticket()
    return lambda: withdraw_ticket(by=person_of(asked), ticket=asked)


@call(reopen_ticket, writes=[Event.TICKET_REOPENED, Event.DATA_COLLECTED])
def disagreed():
    asked = resolved()
    return lambda: reopen_ticket(by=person_of(asked), ticket=asked, body=canaries.WORDS, token=uuid4())


@call(close_ticket, writes=[Event.TICKET_CLOSED])
def after_a_month():
    asked = resolved(reopen_until=timezone.now())
    return lambda: close_ticket(by=TEST, ticket=asked)


@call(close_tickets_of, writes=[Event.TICKET_CLOSED], keeps=Keeps.FILE_GOES_FIRST)
def erased():
    asked = resolved()
    return lambda: close_tickets_of(by=TEST, subject=asked.subject)


@call(assign_ticket, writes=[Event.TICKET_TAKEN])
def to_oneself():
    asked, by = ticket(), actor(Role.SUPPORT)
    return lambda: assign_ticket(by=by, ticket=asked)


@call(release_ticket, writes=[Event.TICKET_RELEASED])
def to_the_team():
    asked, by = ticket(), actor(Role.SUPPORT)
    return lambda: release_ticket(by=by, ticket=asked)


@call(refer_ticket, writes=[Event.TICKET_REFERRED])
def to_the_officer():
    asked, by = ticket(), actor(Role.SUPPORT)
    return lambda: refer_ticket(by=by, ticket=asked)


@call(write_note, writes=[Event.TICKET_NOTED, Event.DATA_COLLECTED])
def among_staff():
    asked, by = ticket(), actor(Role.SUPPORT)
    return lambda: write_note(by=by, ticket=asked, body=canaries.WORDS, token=uuid4())


@call(stop_waiting, writes=[Event.TICKET_WAITED_OUT])
def no_answer():
    asked = ticket(state="waiting", waiting_since=timezone.now() - timedelta(days=31))
    return lambda: stop_waiting(by=TEST, ticket=asked)


@call(remind_of_ticket, writes=[Event.TICKET_REMINDED, Event.MESSAGE_QUEUED])
def near_its_day():
    asked = ticket(assigned_to=actor(Role.SUPPORT).id)
    return lambda: remind_of_ticket(by=TEST, ticket=asked)


@call(escalate_ticket, writes=[Event.TICKET_ESCALATED])
def late():
    asked = ticket(due_at=timezone.now() - timedelta(days=1))
    return lambda: escalate_ticket(by=TEST, ticket=asked)


@call(timers.advance_timers, writes=[Event.TICKET_ESCALATED])
def one_late():
    ticket(due_at=timezone.now() - timedelta(days=1), reminded_at=timezone.now())
    return lambda: timers.advance_timers(by=TEST)


@call(save_canned_reply, writes=[Event.CANNED_REPLY_CHANGED])
def prepared():
    by = actor(Role.SUPPORT)
    return lambda: save_canned_reply(by=by, reply=CannedReply(title="Thanks", locale="en", body="Thank you for writing."))


@call(open_attachment, writes=[Event.ATTACHMENT_DOWNLOADED, Event.DATA_OPENED])
def by_the_person():
    sent = TicketAttachment.objects.get(message__ticket=ticket())
    return lambda: b"".join(open_attachment(by=person_of(sent.message.ticket), attachment=sent)[0])


@call(open_attachment, writes=[Event.ATTACHMENT_DOWNLOADED, Event.DATA_OPENED])
def by_an_agent():
    sent = TicketAttachment.objects.get(message__ticket=ticket())
    by = actor(Role.SUPPORT)
    return lambda: b"".join(open_attachment(by=by, attachment=sent, reason=canaries.WORDS)[0])


def written() -> Ticket:
    words = {"email": canaries.mailbox(), "kind": Kind.COMPLAINT, "body": canaries.WORDS, "locale": "en"}
    return done(lambda: write_from_outside(by=ANONYMOUS, token=uuid4(), **words))


@call(write_from_outside, writes=[Event.TICKET_WRITTEN, Event.MESSAGE_QUEUED, Event.DATA_COLLECTED, Event.DATA_COLLECTED])
def without_an_account():
    words = {"kind": Kind.COMPLAINT, "body": canaries.WORDS, "locale": "en"}
    return lambda: write_from_outside(by=ANONYMOUS, token=uuid4(), email=canaries.mailbox(), **words)


@call(confirm_ticket, writes=[Event.TICKET_OPENED, Event.MESSAGE_QUEUED])
def by_a_mailed_link():
    token, _until = issue_link(written())
    return lambda: confirm_ticket(by=ANONYMOUS, token=token)


@call(send_link_again, writes=[Event.TICKET_LINK_SENT, Event.MESSAGE_QUEUED])
def to_an_old_link():
    token, _until = issue_link(written())
    return lambda: send_link_again(by=ANONYMOUS, token=token)


@call(discard_ticket, writes=[Event.TICKET_DISCARDED])
def never_confirmed():
    unconfirmed = written()
    return lambda: discard_ticket(by=TEST, ticket=unconfirmed)


# Partners


@call(register_recipient, writes=[Event.RECIPIENT_REGISTERED])
def partner():
    return lambda: register_recipient(by=TEST, slug=uuid4().hex[:8], name="A partner", kind=Recipient.Kind.CARRIER, country="DE")


@call(sign_agreement, writes=[Event.AGREEMENT_SIGNED])
def for_a_year():
    today = timezone.now().date()
    recipient = Recipient.objects.get(slug="carrier")
    days = {"signed_on": today, "starts_on": today, "ends_on": today + timedelta(days=365)}
    return lambda: sign_agreement(
        by=TEST, recipient=recipient, reference="C-2", purposes=[Purpose.DISPATCH], categories=[Category.DELIVERY], **days
    )


@call(disclose, writes=[Event.DATA_DISCLOSED, Event.DATA_OPENED])
def to_the_payment_provider():
    placed = order()
    values = {"payer": PaymentDetail.objects.get(payment__order=placed).payer}
    how = {"recipient": "payments", "purpose": Purpose.PAYMENT, "subject": placed.subject, "case": placed}
    return lambda: disclose(by=TEST, values=values, **how)


@call(decide_approval, writes=[Event.PERMISSION_GIVEN])
def yes():
    user, carrier = customer(), Recipient.objects.get(slug="carrier")
    return lambda: decide_approval(by=user.actor, subject=user.subject, recipient=carrier, purpose=Purpose.SUPPORT, is_given=True)


@call(decide_approval, writes=[Event.PERMISSION_WITHDRAWN])
def no():
    user, carrier = customer(), Recipient.objects.get(slug="carrier")
    return lambda: decide_approval(by=user.actor, subject=user.subject, recipient=carrier, purpose=Purpose.SUPPORT, is_given=False)


@call(tell_holders, writes=[Event.FOLLOW_UP_ASKED])
def of_an_erasure():
    user = customer()
    disclose_to(user)
    return lambda: tell_holders(by=TEST, subject_id=user.subject_id, kind=FollowUp.Kind.ERASURE)


@call(confirm_follow_up, writes=[Event.FOLLOW_UP_CONFIRMED])
def by_the_partner():
    user = customer()
    disclose_to(user)
    [asked] = done(lambda: tell_holders(by=TEST, subject_id=user.subject_id, kind=FollowUp.Kind.ERASURE))
    by = actor(Role.PRIVACY_OFFICER)
    return lambda: confirm_follow_up(by=by, follow_up=asked)


# Purges and holds


@call(start_purge, writes=[Event.PURGE_STARTED])
def rehearsal():
    return lambda: start_purge(by=TEST, dry_run=True)


@call(purge_expired, writes=[Event.DATA_PURGED, Event.PURGE_COMPLETED], keeps=Keeps.ROUNDS)
def of_a_closed_account():
    user = customer()
    type(user).objects.filter(pk=user.pk).update(is_active=False, closed_at=timezone.now() - timedelta(days=4000))
    run = done(lambda: start_purge(by=TEST, at_once=False))
    return lambda: purge_expired(by=TEST, run=type(run).objects.get(pk=run.pk))


@call(place_hold, writes=[Event.HOLD_PLACED])
def for_claims():
    user, until = customer(), timezone.now() + timedelta(days=30)
    by = actor(Role.PRIVACY_OFFICER)
    return lambda: place_hold(by=by, subject=user.subject, ground=Hold.Ground.CLAIMS, until=until)


# Mail


def queued() -> OutboundMail:
    user = customer()
    return done(lambda: queue_mail(template="accounts-password-changed", subject=user.subject_id, occasion=str(uuid4())))


@call(queue_mail, writes=[Event.MESSAGE_QUEUED])
def to_a_person():
    user = customer()
    return lambda: queue_mail(template="accounts-password-changed", subject=user.subject_id, occasion=str(uuid4()))


@call(deliver_mail, writes=[Event.MESSAGE_SENT, Event.DATA_OPENED], keeps=Keeps.ROUNDS)
def taken_by_the_server():
    mail = queued()
    return lambda: deliver_mail(OutboundMail.objects.get(pk=mail.pk))


@call(deliver_mail, record_failed_mail, writes=[Event.MESSAGE_FAILED])
def days_late():
    mail = queued()
    OutboundMail.objects.filter(pk=mail.pk).update(queued_at=timezone.now() - timedelta(days=4))
    return lambda: deliver_mail(OutboundMail.objects.get(pk=mail.pk))
