"""Queue and send mail: one row an occasion, opened under its declared purpose, logged when sent (USE-3, COLLECT-4)."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone

from audit.events import Event
from audit.record import Reference, record
from privacy.access.errors import AccessDenied
from privacy.access.gate import open_access, unit_of_work
from privacy.jobs.errors import TryLater
from privacy.mail.errors import MailboxMissing, MailError, MailOverdone, MailRefused
from privacy.mail.models import OutboundMail
from privacy.mail.rendering import render_message
from privacy.mail.templates import mail_template, mailbox_of
from privacy.policy.roles import Actor
from privacy.vault.errors import KeyDestroyed, Unreadable
from privacy.vault.models import Subject

POSTMAN = Actor.job("mail")
KEPT = timedelta(days=30)
TRIED_FOR = timedelta(days=3)
RETRY_SECONDS = 60
PERMANENT = 500


@transaction.atomic
def queue_mail(
    *,
    template: str,
    subject: Subject | UUID,
    object: Reference | None = None,
    locale: str = "",
    occasion: str = "",
    by: Actor = POSTMAN,
) -> OutboundMail:
    """Queue a declared mail to a person, sent once the transaction has committed.

    The same template, person, object and occasion is one mail however often it is queued. Raises
    MailUnknown for a mail that nobody declared.
    """
    mail_template(template)
    subject_id = subject.pk if isinstance(subject, Subject) else subject
    mail, is_new = OutboundMail.objects.get_or_create(
        subject_id=subject_id,
        template=template,
        object_label=object.label if object else "",
        object_id=object.id if object else None,
        occasion=occasion,
        defaults={"locale": locale or settings.LANGUAGE_CODE},
    )
    if is_new:
        record(Event.MESSAGE_QUEUED, by=by, subject=subject_id, object=mail, case=object)
        mail.send_after_commit()
    return mail


def deliver_mail(mail: OutboundMail) -> None:
    """Send a queued mail. At least once: a worker killed after sending sends again, with the same Message-ID.

    A mail whose purpose no longer holds, whose person is gone or whose mailbox does not exist is dropped and
    logged as such. Raises TryLater when the mail server does not take it now.
    """
    if mail.sent_at is not None:
        return
    try:
        _refuse_stale(mail)
        _hand_over(_open_and_render(mail))
    except (AccessDenied, KeyDestroyed, Unreadable, MailError) as reason:
        record_failed_mail(mail, outcome=type(reason).__name__)
        return
    with unit_of_work():
        mail.sent_at = timezone.now()
        mail.save(update_fields=["sent_at"])
        record(
            Event.MESSAGE_SENT,
            by=POSTMAN,
            subject=mail.subject_id,
            object=mail,
            case=mail.object,
        )


def record_failed_mail(mail: OutboundMail, outcome: str = "failed") -> None:
    """Log that the mail will not be sent."""
    with unit_of_work():
        record(
            Event.MESSAGE_FAILED,
            by=POSTMAN,
            subject=mail.subject_id,
            object=mail,
            case=mail.object,
            outcome=outcome,
        )


def forget_old_mail() -> int:
    """Delete the rows of mails that ended more than 30 days ago; returns how many."""
    with transaction.atomic():
        ended = OutboundMail.objects.filter(finished_at__lt=timezone.now() - KEPT)
        keys = list(ended.values_list("pk", flat=True)[:5000])
        deleted, _ = OutboundMail.objects.filter(pk__in=keys).delete()
    return deleted


def _open_and_render(mail: OutboundMail) -> EmailMultiAlternatives:
    template = mail_template(mail.template)
    with unit_of_work():
        sealed = template.mailbox(mail) if template.mailbox else mailbox_of(mail.subject_id)
        if sealed is None:
            raise MailboxMissing
        reason = f"mail {mail.template}"
        with open_access(
            by=POSTMAN,
            purpose=template.purpose,
            subject=mail.subject_id,
            reason=reason,
            case=mail.object,
        ) as grant:
            context = template.context(mail, grant)
            return render_message(template.name, context, mail.locale, grant.open(sealed), mail.pk)


def _refuse_stale(mail: OutboundMail) -> None:
    if timezone.now() - mail.queued_at > TRIED_FOR:
        raise MailOverdone


def _hand_over(message: EmailMultiAlternatives) -> None:
    """Outside any transaction. The server's answer may quote the address, so nothing of it is kept."""
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        permanent = all(code >= PERMANENT for code, _ in error.recipients.values())
        raise (MailRefused() if permanent else TryLater(RETRY_SECONDS)) from None
    except OSError:  # the other errors of smtplib are among these
        raise TryLater(RETRY_SECONDS) from None
