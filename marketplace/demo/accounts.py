"""The people of the demo. Their addresses reach nobody, and their password is printed on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.accounts.actions import (
    appoint_staff,
    confirm_mailbox,
    hand_over_second_factor,
    sign_up,
)
from marketplace.accounts.codes import current_code
from marketplace.accounts.models import AccountToken
from marketplace.accounts.queries import account_with_mailbox
from marketplace.accounts.tokens import issue_token
from marketplace.demo.people import VISITED, Person
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import ANONYMOUS, Actor, Role

DEMO = Actor.job("demo")
DEMO_PASSWORD = "demo-marketplace"  # noqa: S105  meant to be known


@dataclass(frozen=True)
class DemoAccount:
    email: str
    name: str
    role: Role = Role.CUSTOMER
    locale: str = "en"
    improvement: bool = False


def of_person(person: Person) -> DemoAccount:
    return DemoAccount(person.email, person.name, locale=person.locale, improvement=person.improvement)


STAFF = (
    DemoAccount("support@example.com", "Sam Lindqvist", Role.SUPPORT),
    DemoAccount("fulfillment@example.com", "Fay Moreau", Role.FULFILLMENT),
    DemoAccount("finance@example.com", "Finn Castillo", Role.FINANCE),
    DemoAccount("fraud@example.com", "Freya Nakamura", Role.FRAUD),
    DemoAccount("privacy@example.com", "Pia Novak", Role.PRIVACY_OFFICER),
    DemoAccount("security@example.com", "Sol Abara", Role.SECURITY),
    DemoAccount("auditor@example.com", "Aud Eriksen", Role.AUDITOR),
    DemoAccount("administrator@example.com", "Alex Tanaka", Role.ADMINISTRATOR),
)
DEMO_ACCOUNTS = (*(of_person(person) for person in VISITED), *STAFF)


def make_demo_accounts(accounts: Iterable[DemoAccount] = DEMO_ACCOUNTS) -> int:
    """Open the accounts that are missing, as their people would; returns how many."""
    return sum(open_account(account) for account in accounts)


def open_account(account: DemoAccount) -> bool:
    """Open it unless it is there."""
    with unit_of_work():
        if account_with_mailbox(account.email) is not None:
            return False
        _make(account)
    return True


def listing() -> list[str]:
    """Lines to print: who may sign in, with what."""
    width = max(len(account.email) for account in DEMO_ACCOUNTS)
    people = [f"{account.email:<{width}}  {account.role.label}{_note(account)}" for account in DEMO_ACCOUNTS]
    return [
        f"Password of every demo account: {DEMO_PASSWORD}",
        *people,
        "Second step of staff: .venv/bin/python manage.py demo_code EMAIL",
    ]


def _note(account: DemoAccount) -> str:
    return f" ({account.locale})" if account.locale != "en" else ""


def demo_code(account: DemoAccount) -> str:
    """The code that the authenticator app of this member of the demo's staff would show now."""
    with unit_of_work():
        user = account_with_mailbox(account.email)
        if user is None:
            raise LookupError(account.email)
        with open_access(by=DEMO, purpose=Purpose.SECURITY, subject=user.subject_id) as grant:
            return current_code(grant.open(user.second_factor.secret))


def _make(account: DemoAccount) -> None:
    if account.role == Role.CUSTOMER:
        _make_customer(account)
    else:
        _make_staff(account)


def _make_customer(account: DemoAccount) -> None:
    purposes = [Purpose.ACCOUNT] + ([Purpose.IMPROVEMENT] if account.improvement else [])
    user = sign_up(
        by=ANONYMOUS,
        email=account.email,
        name=account.name,
        password=DEMO_PASSWORD,
        purposes=purposes,
        locale=account.locale,
    )
    confirm_mailbox(by=ANONYMOUS, token=issue_token(user, AccountToken.Kind.CONFIRM), password=DEMO_PASSWORD)


def _make_staff(account: DemoAccount) -> None:
    user = appoint_staff(by=DEMO, email=account.email, name=account.name, role=account.role, password=DEMO_PASSWORD)
    hand_over_second_factor(by=DEMO, user=user)
