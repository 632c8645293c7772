"""The mails about accounts. Their links are made at the moment of sending; no body holds a name or an address."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from marketplace.accounts.models import AccountToken, PendingMailbox, User
from marketplace.accounts.queries import is_mailbox_taken, mailbox_of_subject, recovery_codes_left
from marketplace.accounts.tokens import LASTS, issue_token
from privacy.access.gate import Grant
from privacy.alerts.queries import open_alerts
from privacy.declarations.purposes import Purpose
from privacy.mail.errors import MailOverdone
from privacy.mail.models import OutboundMail
from privacy.mail.templates import register_mail, register_mailbox
from privacy.vault.sealed import Sealed

Kind = AccountToken.Kind


def declare_mails() -> None:
    register_mailbox(mailbox_of_subject)
    register_mail("accounts-confirm", Purpose.ACCOUNT, confirmation)
    register_mail("accounts-reset", Purpose.ACCOUNT, password_reset)
    register_mail("accounts-password-changed", Purpose.SECURITY, own_pages)
    register_mail("accounts-change-asked", Purpose.SECURITY, mailbox_change_asked)
    register_mail("accounts-change", Purpose.ACCOUNT, mailbox_change, mailbox=pending_mailbox)
    register_mail("accounts-second-factor-on", Purpose.SECURITY, own_pages)
    register_mail("accounts-second-factor-off", Purpose.SECURITY, own_pages)
    register_mail("accounts-second-factor-reset", Purpose.SECURITY, enrollment)
    register_mail("accounts-recovery-codes-new", Purpose.SECURITY, own_pages)
    register_mail("accounts-recovery-code-used", Purpose.SECURITY, recovery_code_used)
    register_mail("accounts-token-made", Purpose.SECURITY, token_made)
    register_mail("accounts-invitation", Purpose.ACCOUNT, invitation)
    register_mail("accounts-alert", Purpose.SECURITY, alert_raised)


def confirmation(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    """A link, or for a mailbox that has an account already the word that somebody tried."""
    user = _account(mail)
    if user.confirmed_at is not None:
        raise MailOverdone
    if is_mailbox_taken(grant.open(user.details.email), by_other_than=user.pk):
        return {"taken": True, **_links()}
    return {"link": _link("accounts:confirm", user, Kind.CONFIRM), "days": LASTS[Kind.CONFIRM].days}


def password_reset(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    link = _link("accounts:password-reset-set", _account(mail), Kind.RESET)
    return {"link": link, "minutes": int(LASTS[Kind.RESET].total_seconds() // 60)}


def mailbox_change(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    """A link to the new mailbox, or nothing to follow when another account has it."""
    user, pending = _account(mail), _locked_change(mail)
    if is_mailbox_taken(grant.open(pending.email), by_other_than=user.pk):
        return {"taken": True, **_links()}
    return {"link": _link("accounts:confirm", user, Kind.CHANGE), "hours": _hours(Kind.CHANGE)}


def mailbox_change_asked(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    """To the old mailbox: a link to agree, and one to call it off that needs no sign-in."""
    user, pending = _account(mail), _locked_change(mail)
    if pending.agreed_at is not None:
        raise MailOverdone
    return {
        "agree": _link("accounts:agree", user, Kind.AGREE),
        "refuse": _link("accounts:refuse", user, Kind.REFUSE),
        "alone_from": pending.alone_from,
        "is_repeated": bool(mail.occasion),
    }


def enrollment(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    return {"link": _link("accounts:enroll", _account(mail), Kind.ENROLL), "hours": _hours(Kind.ENROLL)}


def recovery_code_used(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    return {"left": recovery_codes_left(_account(mail)), **_links()}


def invitation(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    """A link, or for a mailbox that has an account already nothing to follow: the staff are not told."""
    user = _account(mail)
    if user.confirmed_at is not None:
        raise MailOverdone
    if is_mailbox_taken(grant.open(user.details.email), by_other_than=user.pk):
        return {"taken": True}
    return {"link": _link("accounts:invitation", user, Kind.INVITE), "days": LASTS[Kind.INVITE].days, "role": user.get_role_display()}


def alert_raised(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    """Its kind and its page; nothing for an alert that somebody has closed meanwhile."""
    alert = open_alerts().filter(pk=str(mail.object_id)).first()
    if alert is None or not _account(mail).is_staff:
        raise MailOverdone
    return {"kind": alert.get_kind_display(), "link": settings.SITE_URL + reverse("admin:privacy_alert_change", args=[alert.pk])}


def own_pages(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    return _links()


def token_made(mail: OutboundMail, grant: Grant) -> dict[str, Any]:
    return {**_links(), "tokens": settings.SITE_URL + reverse("accounts:tokens")}


def pending_mailbox(mail: OutboundMail) -> Sealed | None:
    """The new address that this mail asks to confirm."""
    pending = _pending(mail).first()
    return pending.email if pending else None


def _pending(mail: OutboundMail) -> QuerySet[PendingMailbox]:
    return PendingMailbox.objects.filter(pk=mail.object_id) if mail.object_id else PendingMailbox.objects.none()


def _locked_change(mail: OutboundMail) -> PendingMailbox:
    """Locked: whoever drops this address meanwhile waits for the link, and drops it too."""
    pending = _pending(mail).select_for_update().first()
    if pending is None or pending.is_over:
        raise MailOverdone
    return pending


def _account(mail: OutboundMail) -> User:
    user = User.objects.filter(subject_id=mail.subject_id, is_active=True).first()
    if user is None:
        raise MailOverdone
    return user


def _link(page: str, user: User, kind: AccountToken.Kind) -> str:
    return settings.SITE_URL + reverse(page, args=[issue_token(user, kind)])


def _hours(kind: AccountToken.Kind) -> int:
    return int(LASTS[kind].total_seconds() // 3600)


def _links() -> dict[str, str]:
    return {
        "security": settings.SITE_URL + reverse("accounts:security"),
        "sign_in": settings.SITE_URL + reverse("accounts:sign-in"),
        "reset": settings.SITE_URL + reverse("accounts:password-reset"),
    }
