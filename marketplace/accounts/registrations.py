"""What accounts tell the rooms below them when the site starts."""

from __future__ import annotations

from marketplace.accounts.actions import (
    close_account,
    close_unconfirmed_accounts,
    forget_answered_resets,
    forget_expired_tokens,
    forget_unfinished_factors,
    forget_unproven_changes,
)
from marketplace.accounts.mail import declare_mails
from marketplace.accounts.sessions import forget_ended_sessions
from marketplace.accounts.tokens import forget_old_tokens
from privacy.policy.roles import Actor
from privacy.retention.registry import register_cleanup
from privacy.rights.erasure import register_step
from privacy.vault.models import Subject


def register_all() -> None:
    declare_mails()
    register_step("account", close_erased_account)
    register_cleanup("unconfirmed accounts", close_unconfirmed_accounts)
    register_cleanup("sessions", forget_ended_sessions)
    register_cleanup("mailed links", forget_old_tokens)
    register_cleanup("password resets", forget_answered_resets)
    register_cleanup("tokens for programs", forget_expired_tokens)
    register_cleanup("unproven mailboxes", forget_unproven_changes)
    register_cleanup("unfinished second factors", forget_unfinished_factors)


def close_erased_account(subject: Subject) -> None:
    """The step of an erasure that signs the person out and makes the account unusable."""
    close_account(by=Actor.job("erasure"), subject=subject)
