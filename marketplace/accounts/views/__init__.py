"""The account pages."""

from marketplace.accounts.views.account import details, overview
from marketplace.accounts.views.language import choose_language
from marketplace.accounts.views.mailbox_changes import agree, refuse
from marketplace.accounts.views.passwords import (
    change_password,
    password_reset,
    password_reset_sent,
    password_reset_set,
)
from marketplace.accounts.views.recovery_codes import recovery_codes, recovery_codes_text
from marketplace.accounts.views.second_factor import (
    enroll,
    remove,
    second_factor,
    second_factor_picture,
    send_link,
    set_up,
)
from marketplace.accounts.views.security import end_one_session, end_others, password, security
from marketplace.accounts.views.signing_in import sign_in, sign_out
from marketplace.accounts.views.signing_up import confirm, sign_up_again, sign_up_page, sign_up_sent
from marketplace.accounts.views.staff import invitation
from marketplace.accounts.views.tokens import token_end, tokens

__all__ = [
    "agree",
    "change_password",
    "choose_language",
    "confirm",
    "details",
    "end_one_session",
    "end_others",
    "enroll",
    "invitation",
    "overview",
    "password",
    "password_reset",
    "password_reset_sent",
    "password_reset_set",
    "recovery_codes",
    "recovery_codes_text",
    "refuse",
    "remove",
    "second_factor",
    "second_factor_picture",
    "security",
    "send_link",
    "set_up",
    "sign_in",
    "sign_out",
    "sign_up_again",
    "sign_up_page",
    "sign_up_sent",
    "token_end",
    "tokens",
]
