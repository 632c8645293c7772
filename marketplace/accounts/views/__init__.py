"""The account pages."""

from marketplace.accounts.views.account import details, overview
from marketplace.accounts.views.language import choose_language
from marketplace.accounts.views.passwords import (
    change_password,
    password_reset,
    password_reset_sent,
    password_reset_set,
)
from marketplace.accounts.views.second_factor import second_factor, second_factor_picture
from marketplace.accounts.views.signing_in import sign_in, sign_out
from marketplace.accounts.views.signing_up import confirm, sign_up_again, sign_up_page, sign_up_sent

__all__ = [
    "change_password",
    "choose_language",
    "confirm",
    "details",
    "overview",
    "password_reset",
    "password_reset_sent",
    "password_reset_set",
    "second_factor",
    "second_factor_picture",
    "sign_in",
    "sign_out",
    "sign_up_again",
    "sign_up_page",
    "sign_up_sent",
]
