"""Keeps the catalogs of translations: collects, checks, compiles."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.translations import compile_catalogs, languages, problems, update_catalog


class Command(BaseCommand):
    help = "Bring the catalogs under locale/ up to date with what the code says."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; fail when a language is not complete.")
        parser.add_argument("--compile", action="store_true", help="Only write the compiled catalogs.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self.check_catalogs()
        elif options["compile"]:
            compile_catalogs()
        else:
            for language in languages():
                update_catalog(language)
            compile_catalogs()

    def check_catalogs(self) -> None:
        faults = [f"{language}: {line}" for language in languages() for line in problems(language)]
        for line in faults[:40]:
            self.stderr.write(line)
        if faults:
            raise CommandError(f"{len(faults)} messages to mend: run manage.py translations, then translate.")
