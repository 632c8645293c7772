"""``manage.py create_administrator``: the first member of staff, made on the server itself."""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from marketplace.accounts.actions import appoint_staff, hand_over_second_factor, issue_recovery_codes
from marketplace.accounts.errors import MailboxTaken
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Actor, Role


class Command(BaseCommand):
    help = "Open an administrator's account and print, once, what its authenticator app needs, and recovery codes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(self, *args: Any, email: str, name: str, password_stdin: bool, **options: Any) -> None:
        password = _checked(email, _read_password(password_stdin))
        by = Actor.job("create_administrator")
        try:
            with unit_of_work():
                user = appoint_staff(by=by, email=email, name=name, role=Role.ADMINISTRATOR, password=password)
                uri = hand_over_second_factor(by=by, user=user)
                codes = issue_recovery_codes(by=by, user=user)
        except MailboxTaken:
            raise CommandError("This address has an account already.") from None
        self.stdout.write("The account is open. Put this into an authenticator app now; it is not shown again:")
        self.stdout.write(uri)
        self.stdout.write("Ten recovery codes, each for one sign-in without the app. Keep them on paper:")
        self.stdout.write("\n".join(codes))
        self.stdout.write("The first sign-in asks for a code from the app.")


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    password = getpass("Password: ")
    if password != getpass("The same again: "):
        raise CommandError("The two passwords differ.")
    return password


def _checked(email: str, password: str) -> str:
    try:
        validate_email(email)
        validate_password(password)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    return password
