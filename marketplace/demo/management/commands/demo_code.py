"""``manage.py demo_code EMAIL``: what the authenticator app of a member of the demo's staff would show."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.demo.accounts import DEMO_ACCOUNTS, demo_code
from privacy.policy.roles import Role


class Command(BaseCommand):
    help = "Print the current second-factor code of a demo staff account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT", help="address of the account, or the part before the @")

    def handle(self, *args: Any, account: str, **options: Any) -> None:
        staff = {found.email: found for found in DEMO_ACCOUNTS if found.role != Role.CUSTOMER}
        found = staff.get(account if "@" in account else f"{account}@example.com")
        if found is None:
            raise CommandError(f"One of: {', '.join(staff)}")
        try:
            self.stdout.write(demo_code(found))
        except LookupError:
            raise CommandError("The demo accounts have not been made yet.") from None
