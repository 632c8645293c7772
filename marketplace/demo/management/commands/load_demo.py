"""Fills the demo: partners, products, people and a few orders, all made through the actions."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.demo.accounts import make_demo_accounts
from marketplace.demo.catalogue import add_demo_products
from marketplace.demo.operator import name_demo_operator
from marketplace.demo.partners import register_demo_partners
from marketplace.demo.story import OutsideSilent, tell_story
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Actor

DEMO = Actor.job("demo")


class Command(BaseCommand):
    help = "Make what is missing of the demo's data. Needs the worker running; safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        with unit_of_work():
            name_demo_operator(by=DEMO)
            partners = register_demo_partners(by=DEMO)
            products = add_demo_products(by=DEMO)
        accounts = make_demo_accounts()
        self.stdout.write(f"{partners} partners, {products} products, {accounts} accounts added")
        try:
            tell_story(self.stdout.write)
        except OutsideSilent:
            raise CommandError("The sandbox did not answer in time; are the worker and the sandbox running?") from None
