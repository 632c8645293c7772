"""Who takes part in the story: its accounts, found once."""

from __future__ import annotations

from functools import cache
from uuid import UUID

from marketplace.accounts.models import User
from marketplace.accounts.queries import account_with_mailbox
from marketplace.demo.accounts import STAFF
from marketplace.demo.people import Person
from privacy.policy.roles import Actor, Role


def user_of(person: Person) -> User:
    """Raises LookupError before the person has joined."""
    return User.objects.select_related("subject", "details").get(pk=_key(person.email))


def staff(role: Role) -> Actor:
    """The member of the demo's staff with this role."""
    email = next(account.email for account in STAFF if account.role == role)
    return User.objects.get(pk=_key(email)).actor


@cache
def _key(email: str) -> UUID:
    user = account_with_mailbox(email)
    if user is None:
        raise LookupError(email)
    return user.pk
