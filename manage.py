#!/usr/bin/env python
"""Runs a command of the site. The embedded servers are found, and started where nobody runs them."""

import os
import sys
import warnings

OWNER_COMMANDS = {
    "migrate", "makemigrations", "showmigrations", "sqlmigrate", "sqlflush", "flush", "optimizemigration", "sqlwall", "restore",
    "load_demo",
}  # fmt: skip
SERVERLESS_COMMANDS = {
    "", "help", "version", "--version", "--help", "check", "collectstatic", "compilemessages", "makemessages", "makemigrations",
    "diffsettings", "findstatic", "startapp", "optimizemigration", "translations",
}  # fmt: skip


def main() -> None:
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    os.environ.setdefault("MARKETPLACE_DB_ROLE", "owner" if command in OWNER_COMMANDS else "worker")
    warnings.filterwarnings("ignore", message="Got an error checking a consistent migration history")

    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from marketplace.embedded import ServerFailed, lease_if_embedded

    try:
        with lease_if_embedded(needed=command not in SERVERLESS_COMMANDS):
            execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, ServerFailed) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
