"""What can happen to an account."""

from marketplace.accounts.actions.api_tokens import end_token, forget_expired_tokens, make_token, note_token_used
from marketplace.accounts.actions.closing import close_account
from marketplace.accounts.actions.details import change_locale
from marketplace.accounts.actions.mailbox_changes import (
    agree_to_mailbox_change,
    cancel_mailbox_change,
    complete_mailbox_change,
    confirm_mailbox_change,
    forget_unproven_changes,
    refuse_mailbox_change,
    request_mailbox_change,
    warn_old_mailboxes,
)
from marketplace.accounts.actions.mailboxes import rotate_mailbox_index
from marketplace.accounts.actions.passwords import (
    answer_password_reset,
    change_password,
    forget_answered_resets,
    request_password_reset,
    reset_password,
)
from marketplace.accounts.actions.recovery_codes import issue_recovery_codes, use_recovery_code
from marketplace.accounts.actions.searching import search_account
from marketplace.accounts.actions.second_factors import (
    can_check_codes,
    confirm_second_factor,
    enroll_second_factor,
    enrollment_of,
    forget_unfinished_factors,
    hand_over_second_factor,
    open_enrollment,
    pass_second_factor,
    remove_second_factor,
    reset_second_factor,
    send_enrollment_link,
    verify_second_factor,
)
from marketplace.accounts.actions.sessions import (
    end_listed_session,
    end_other_sessions,
    end_session,
    end_sessions,
    refuse_session,
    start_session,
)
from marketplace.accounts.actions.signing_up import (
    close_unconfirmed_accounts,
    confirm_mailbox,
    send_confirmation_again,
    sign_up,
)
from marketplace.accounts.actions.staff import accept_invitation, appoint_staff, change_role, dismiss_staff, invite_staff

__all__ = [
    "accept_invitation",
    "agree_to_mailbox_change",
    "answer_password_reset",
    "appoint_staff",
    "can_check_codes",
    "cancel_mailbox_change",
    "change_locale",
    "change_password",
    "change_role",
    "close_account",
    "close_unconfirmed_accounts",
    "complete_mailbox_change",
    "confirm_mailbox",
    "confirm_mailbox_change",
    "confirm_second_factor",
    "dismiss_staff",
    "end_listed_session",
    "end_other_sessions",
    "end_session",
    "end_sessions",
    "end_token",
    "enroll_second_factor",
    "enrollment_of",
    "forget_answered_resets",
    "forget_expired_tokens",
    "forget_unfinished_factors",
    "forget_unproven_changes",
    "hand_over_second_factor",
    "invite_staff",
    "issue_recovery_codes",
    "make_token",
    "note_token_used",
    "open_enrollment",
    "pass_second_factor",
    "refuse_mailbox_change",
    "refuse_session",
    "remove_second_factor",
    "request_mailbox_change",
    "request_password_reset",
    "reset_password",
    "reset_second_factor",
    "rotate_mailbox_index",
    "search_account",
    "send_confirmation_again",
    "send_enrollment_link",
    "sign_up",
    "start_session",
    "use_recovery_code",
    "verify_second_factor",
    "warn_old_mailboxes",
]
