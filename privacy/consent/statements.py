"""The words in which each permission is asked, and the row that keeps them (COLLECT-3)."""

from __future__ import annotations

import hashlib

from django.utils.translation import gettext as _
from django.utils.translation import override

from privacy.consent.models import ConsentStatement
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.models import PolicyVersion


def statement_text(purpose: Purpose, locale: str) -> str:
    """What the person reads beside the box, word for word."""
    with override(locale):
        return _("%(label)s. %(explanation)s") % {
            "label": purpose.label,
            "explanation": PURPOSES[purpose].explanation,
        }


def fingerprint(purpose: Purpose, locale: str) -> str:
    """Stands for these words in this language; a box carries it, so that a yes is to the words that were shown."""
    return hashlib.sha256(f"{locale}|{statement_text(purpose, locale)}".encode()).hexdigest()[:32]


def statement_for(purpose: Purpose, policy: PolicyVersion, locale: str) -> ConsentStatement:
    """The row of the words shown now, made when these words are agreed to for the first time."""
    text = statement_text(purpose, locale)
    statement, _made = ConsentStatement.objects.get_or_create(
        purpose=purpose,
        policy=policy,
        locale=locale,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        defaults={"text": text},
    )
    return statement
