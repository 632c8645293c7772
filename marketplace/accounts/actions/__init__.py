"""What can happen to an account."""

from marketplace.accounts.actions.closing import close_account
from marketplace.accounts.actions.details import change_locale, confirm_mailbox_change, request_mailbox_change
from marketplace.accounts.actions.passwords import (
    answer_password_reset,
    forget_answered_resets,
    request_password_reset,
    reset_password,
)
from marketplace.accounts.actions.searching import search_account
from marketplace.accounts.actions.second_factors import (
    enroll_second_factor,
    enrollment_of,
    hand_over_second_factor,
    verify_second_factor,
)
from marketplace.accounts.actions.sessions import end_session, end_sessions, refuse_session, start_session
from marketplace.accounts.actions.signing_up import (
    close_unconfirmed_accounts,
    confirm_mailbox,
    send_confirmation_again,
    sign_up,
)
from marketplace.accounts.actions.staff import appoint_staff, change_role

__all__ = [
    "answer_password_reset",
    "appoint_staff",
    "change_locale",
    "change_role",
    "close_account",
    "close_unconfirmed_accounts",
    "confirm_mailbox",
    "confirm_mailbox_change",
    "end_session",
    "end_sessions",
    "enroll_second_factor",
    "enrollment_of",
    "forget_answered_resets",
    "hand_over_second_factor",
    "refuse_session",
    "request_mailbox_change",
    "request_password_reset",
    "reset_password",
    "search_account",
    "send_confirmation_again",
    "sign_up",
    "start_session",
    "verify_second_factor",
]
