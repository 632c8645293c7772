"""How somebody is recognized: a mailbox with its password, then where a second factor is needed a code."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from marketplace.accounts.actions import pass_second_factor
from marketplace.accounts.models import User
from marketplace.accounts.queries import account_with_mailbox


class AccountBackend:
    """Finds the account of a session."""

    def get_user(self, user_id: UUID) -> User | None:
        return User.objects.select_related("second_factor").filter(pk=user_id, is_active=True).first()


class MailboxBackend(AccountBackend):
    """Mailbox and password."""

    def authenticate(self, request: HttpRequest, username: str | None = None, password: str | None = None) -> Any:
        """The account, or None after the same hashing work as for an account that exists."""
        if username is None or password is None:
            return None
        user = account_with_mailbox(username)
        if user is None:
            make_password(password)
            return None
        return user if user.admits(password) and user.is_active else None


class SecondFactorBackend(AccountBackend):
    """The code of the app or a recovery code, for somebody whose password was right. Failures count towards a
    lock-out of their own."""

    def authenticate(self, request: HttpRequest, user: User | None = None, code: str | None = None) -> Any:
        if user is None or code is None:
            return None
        return user if pass_second_factor(by=user.actor, user=user, code=code) else None
