"""What has to be true of the databases and files before the processes start: run as the owner by the supervisor."""

import contextlib
import hashlib
import os
import sys
from pathlib import Path


def main() -> None:
    os.environ["MARKETPLACE_DB_ROLE"] = "owner"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

    import django
    from django.core.management import CommandError
    from django.db import DatabaseError
    from django.db.migrations.exceptions import MigrationSchemaMissing

    django.setup()
    try:
        migrate()
    except (DatabaseError, CommandError, MigrationSchemaMissing) as error:
        sys.exit(str(error).strip().partition("\n")[0])
    collect_static_files()
    compile_translations()


def migrate() -> None:
    from django.core.management import call_command

    open_embedded_log()
    for alias in ("vault", "default"):
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    say("Databases are up to date")


def open_embedded_log() -> None:
    """For an upgrade that changes the log's tables; the migration gives them back. On other servers a superuser does it by hand."""
    from audit.keeping import opening_sql
    from marketplace.database_roles import MAIN_DATABASE, MAIN_OWNER
    from marketplace.embedded import Servers
    from marketplace.environment import Environment
    from privacy.wall.foundation import quoted

    environment = Environment()
    if environment.uses_embedded_postgres:
        with contextlib.closing(Servers(environment.state).connect(MAIN_DATABASE)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(opening_sql(owner=quoted(MAIN_OWNER)))


def collect_static_files() -> None:
    """Collect and compress, unless nothing changed since the last time."""
    from django.conf import settings
    from django.core.management import call_command

    stamp = Path(settings.STATIC_ROOT) / ".fingerprint"
    fingerprint = static_fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(fingerprint)
    say("Static files are collected")


def compile_translations() -> None:
    from marketplace.translations import compile_catalogs

    if compile_catalogs():
        say("Translations are compiled")


def static_fingerprint() -> str:
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(None):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path}:{status.st_size}:{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def say(line: str) -> None:
    """Tell people; where the terminal is gone there is nobody to tell, and the work goes on."""
    with contextlib.suppress(OSError):
        sys.stdout.write(f"  {line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
