"""Every mail that may be sent is declared here, with the purpose that opens its mailbox (COLLECT-4, COLLECT-5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from privacy.declarations.purposes import Purpose
from privacy.mail.errors import MailUnknown
from privacy.vault.sealed import Sealed

if TYPE_CHECKING:
    from privacy.mail.models import OutboundMail

Context = Callable[["OutboundMail", Any], dict[str, Any]]
MailboxOf = Callable[["OutboundMail"], Sealed | None]


@dataclass(frozen=True)
class MailTemplate:
    """One kind of mail.

    Its words are ``mail/<name>.txt``, the first line being the subject line. ``context(mail, grant)`` gives
    what the words need; it runs in the unit of work of each attempt to send, so that links with one-time
    tokens are made there. ``mailbox(mail)`` names another mailbox than the person's usual one.
    """

    name: str
    purpose: Purpose
    context: Context
    mailbox: MailboxOf | None = None


_templates: dict[str, MailTemplate] = {}
_mailboxes: list[Callable[[UUID], Sealed | None]] = []


def register_mail(
    name: str,
    purpose: Purpose,
    context: Context | None = None,
    mailbox: MailboxOf | None = None,
) -> None:
    """Declare a mail. No purpose for promotion exists, so no such mail can be declared."""
    _templates[name] = MailTemplate(name, purpose, context or _nothing, mailbox)


def register_mailbox(find: Callable[[UUID], Sealed | None]) -> None:
    """``find(subject_id)`` gives the person's sealed address, or None when this room knows none."""
    if find not in _mailboxes:
        _mailboxes.append(find)


def mail_template(name: str) -> MailTemplate:
    """Raises MailUnknown for a mail that nobody declared."""
    try:
        return _templates[name]
    except KeyError:
        raise MailUnknown(name) from None


def mail_templates() -> list[MailTemplate]:
    """All declared mails, by name."""
    return [_templates[name] for name in sorted(_templates)]


def mailbox_of(subject_id: UUID) -> Sealed | None:
    """The sealed address of a person, from the first room that knows one."""
    for find in _mailboxes:
        mailbox = find(subject_id)
        if mailbox is not None:
            return mailbox
    return None


def _nothing(mail: OutboundMail, grant: Any) -> dict[str, Any]:
    return {}
