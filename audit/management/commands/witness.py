"""Keeps USE-3: whoever has this program can witness other shops' logs, and ask them to witness theirs."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.witness import add_arguments, serve


class Command(BaseCommand):
    help = "Be a witness of logs: remember their newest checkpoints and cosign only what continues them. Plain HTTP, for a proxy with TLS."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, folder: Path, name: str, host: str, port: int, **options: Any) -> None:
        serve(folder, name, host, port)
