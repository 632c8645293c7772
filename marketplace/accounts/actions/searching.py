"""Find the account of somebody who asks for help."""

from __future__ import annotations

from django.db import transaction

from audit.events import Event
from audit.record import record
from marketplace.accounts.errors import NotAllowed, TooManySearches
from marketplace.accounts.models import User
from marketplace.accounts.queries import account_with_mailbox
from privacy.access.limits import is_overdone
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role

SEARCHES_AN_HOUR = 30
# Who searches, and what for.
SEARCHES_FOR = {
    Role.SUPPORT: Purpose.SUPPORT,
    Role.FRAUD: Purpose.FRAUD,
    Role.PRIVACY_OFFICER: Purpose.RIGHTS,
    Role.SECURITY: Purpose.SECURITY,
    Role.ADMINISTRATOR: Purpose.ACCOUNT,
}
SEARCHERS = frozenset(SEARCHES_FOR)


@transaction.atomic
def search_account(*, by: Actor, email: str) -> User | None:
    """The open account with exactly this address; by the blind index, no scan, no part of an address.

    That an address has an account says something about a person: each search is in the log, whatever it finds.
    Raises NotAllowed, and TooManySearches for the 31st of a member of staff within an hour.
    """
    if by.role not in SEARCHERS or by.id is None:
        raise NotAllowed
    if is_overdone("search", by.id.bytes, SEARCHES_AN_HOUR):
        raise TooManySearches
    user = account_with_mailbox(email)
    outcome = "found" if user else "not_found"
    record(
        Event.ACCOUNT_SEARCHED,
        by=by,
        subject=user.subject_id if user else None,
        object=user,
        purpose=SEARCHES_FOR[by.role].value,
        categories=[Category.ACCOUNT.value],
        fields=["accounts.accountdetails.email"],
        outcome=outcome,
    )
    return user
