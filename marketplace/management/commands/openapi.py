"""Writes docs/openapi.yaml from the views of the interface for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

from marketplace.api.schema import schema_document


class Command(BaseCommand):
    help = "Write docs/openapi.yaml, the description of the interface for programs; --check only compares."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """A view that the generator cannot describe fails, as does a document that OpenAPI 3.1 does not allow."""
        document = schema_document()
        if GENERATOR_STATS:
            raise CommandError("a view cannot be described; the warnings above say which")
        validate_schema(document)
        path, text = Path(settings.BASE_DIR) / "docs" / "openapi.yaml", OpenApiYamlRenderer().render(document).decode()
        if not options["check"]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            raise CommandError("docs/openapi.yaml is out of date: run manage.py openapi")
