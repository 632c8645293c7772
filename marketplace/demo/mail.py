"""The demo's post office: mail goes into encrypted files that ``/demo/mailbox/`` shows.

Encrypted because these files lie beside everything else that must not hold a personal value in clear.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from privacy.vault.identifiers import uuid7

KEPT = 200
SHOWN = 50
SUFFIX = ".mail"
NAME = re.compile(r"[0-9a-f]{32}\.mail")


@dataclass(frozen=True)
class DemoMail:
    """A mail as the demo shows it."""

    id: str
    to: str
    subject: str
    text: str
    sent_at: str

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.sent_at)


class MailboxBackend(BaseEmailBackend):
    """Writes each message to a file of its own and keeps the newest 200."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = mailbox_folder()
        for message in email_messages:
            _write(folder, message)
        for path in _files()[KEPT:]:
            path.unlink(missing_ok=True)
        return len(email_messages)


def mailbox_folder() -> Path:
    """Where the mail lies; readable by nobody else on the machine."""
    folder = Path(settings.STATE) / "mailbox"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def newest_mails(limit: int = SHOWN) -> list[DemoMail]:
    """The newest mails, newest first; files that this secret key cannot open are left out."""
    return [mail for path in _files()[:limit] if (mail := _read(path)) is not None]


def find_mail(mail_id: UUID) -> DemoMail | None:
    return _read(mailbox_folder() / f"{mail_id.hex}{SUFFIX}")


def _files() -> list[Path]:
    """Newest first: the names begin with the moment (UUIDv7)."""
    found: Iterable[Path] = (path for path in mailbox_folder().iterdir() if NAME.fullmatch(path.name))
    return sorted(found, key=lambda path: path.name, reverse=True)


def _write(folder: Path, message: EmailMessage) -> None:
    key = uuid7()
    mail = DemoMail(str(key), ", ".join(message.to), str(message.subject), str(message.body), timezone.now().isoformat())
    draft = folder / f"{key.hex}.draft"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_cipher().encrypt(json.dumps(asdict(mail)).encode()))
    draft.rename(folder / f"{key.hex}{SUFFIX}")


def _read(path: Path) -> DemoMail | None:
    try:
        content: dict[str, Any] = json.loads(_cipher().decrypt(path.read_bytes()))
    except (FileNotFoundError, InvalidToken):
        return None
    return DemoMail(**content)


def _cipher() -> Fernet:
    key = hashlib.scrypt(settings.SECRET_KEY.encode(), salt=b"marketplace.demo.mailbox", n=2, r=8, p=1, dklen=32)
    return Fernet(base64.urlsafe_b64encode(key))
