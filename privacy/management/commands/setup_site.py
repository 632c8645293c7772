"""Puts in place what the site cannot run without; safe to repeat after every migration (COLLECT-1, CHANGE-5)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError

from privacy.declarations.purposes import Purpose
from privacy.declarations.registry import check_declarations
from privacy.policy.actions import change_operator, publish_policy
from privacy.policy.errors import ChangedMeanwhile
from privacy.policy.models import PolicyVersion
from privacy.policy.operator import operator
from privacy.policy.roles import Actor
from privacy.policy.texts import words_of_version
from privacy.setup import further_steps

SETUP = Actor.job("setup_site")


def refuse_undeclared_fields() -> str:
    """Servers run no system checks of their own; here each start passes this one. Raises CommandError."""
    faults = check_declarations(None)
    if faults:
        raise CommandError("\n".join(fault.msg for fault in faults))
    return "Every field is declared."


def publish_first_policy() -> str:
    """Publish version 1, in force at once, where no version exists. Two processes may do this at the same time."""
    if PolicyVersion.objects.exists():
        return "The policy is published already."
    try:
        publish_policy(by=SETUP, number=1, texts=words_of_version(1), purposes=list(Purpose))
    except IntegrityError:
        if not PolicyVersion.objects.exists():
            raise
        return "The policy is published already."
    return "Version 1 of the policy is published and in force."


def name_operator() -> str:
    """Enter who runs the shop from the settings, where nobody has entered anything. From then on staff change it."""
    named = {"name": settings.OPERATOR_NAME, "address": settings.OPERATOR_ADDRESS.replace("|", "\n"), "email": settings.OPERATOR_EMAIL}
    if not any(named.values()) or operator().number:
        return "The operator is entered on the staff pages."
    try:
        change_operator(by=SETUP, based_on=0, values={**named, "privacy_email": settings.OPERATOR_EMAIL})
    except ChangedMeanwhile:
        return "The operator is entered on the staff pages."
    except ValidationError as error:
        raise CommandError(f"The settings of the operator: {error}") from None
    return "The operator is entered as the settings say."


STEPS = (refuse_undeclared_fields, publish_first_policy, name_operator)


class Command(BaseCommand):
    help = "Put in place what the site needs, such as its first policy. Run it after each migrate; it repeats nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        for step in (*STEPS, *further_steps()):
            done = step()
            if options["verbosity"]:
                self.stdout.write(done)
