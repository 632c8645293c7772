"""The databases of a test process: cloned from a template that was migrated once, and cloned anew after each test that commits."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import redis
from django.conf import settings
from django.db import connections
from psycopg2 import errors, sql

from marketplace.database_roles import MAIN_OWNER, MAIN_USERS, VAULT_OWNER, VAULT_USERS, allow_new_log, lay_foundation, restrict_database
from marketplace.embedded import Servers
from marketplace.environment import DEMO_SECRETS, EMBEDDED_ROLES, embedded_database_url
from tests.external import ExternalServers
from tests.settings import ROOT, SERVERS_STATE, SLOT, environment

OWNERS = {"default": MAIN_OWNER, "vault": VAULT_OWNER}
USERS = {"default": MAIN_USERS, "vault": VAULT_USERS}
SHAPES = (  # whatever decides what a fresh database holds
    "*/migrations/*.py", "*/*/migrations/*.py", "**/models.py", "**/fields.py", "**/grants.py", "privacy/policy/**/*",
    "privacy/consent/statements.py", "privacy/declarations/*.py", "**/management/commands/setup_site.py", "orders/rates/first.py",
    "marketplace/database_roles.py", "privacy/wall/*.py", "privacy/vault/clearing.py", "privacy/vault/floor.py",
    "privacy/vault/triggers.py", "audit/keeping.py", "requirements.txt",
)  # fmt: skip
KEPT_TEMPLATES = 4


def process_environment(main: str, vault: str, **more: str) -> dict[str, str]:
    """Variables for a process of the product (worker, command, server) on the databases of these names."""
    names = {"marketplace": main, "marketplace_vault": vault}
    urls = {variable: database_url(role, names[database]) for variable, (role, database) in EMBEDDED_ROLES.items()}
    product_secrets = {name: environment.generated[name] for name in DEMO_SECRETS if not name.endswith("PASSWORD")}
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
        **urls,
        **product_secrets,
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "MARKETPLACE_DEMO": "1",
        "MARKETPLACE_STATE": str(settings.STATE),
        "REDIS_URL": settings.BROKER_REDIS_URL,
        **more,
    }


def database_url(role: str, database: str) -> str:
    if settings.IS_EXTERNAL:
        return ExternalServers(SERVERS_STATE).database_url(role, database)
    return embedded_database_url(SERVERS_STATE, environment.generated, role, database)


def slot_environment(**more: str) -> dict[str, str]:
    """Variables for a process of the product that shares this test's databases, broker and secrets."""
    return process_environment(database_name("default"), database_name("vault"), **more)


def database_name(alias: str) -> str:
    return str(settings.DATABASES[alias]["NAME"])


def template_key() -> str:
    digest = hashlib.sha256()
    for pattern in SHAPES:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and ".venv" not in path.parts and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]


class TestDatabases:
    """Makes, resets and drops the two databases of this process's slot."""

    __test__ = False

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.admin = servers.connect()
        self.admin.autocommit = True
        self.key = template_key()

    def execute(self, statement: str, *names: str) -> None:
        with self.admin.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def exists(self, name: str) -> bool:
        with self.admin.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            return cursor.fetchone() is not None

    def template_name(self, alias: str) -> str:
        return f"template_{self.key}_{alias}"

    def create(self, name: str, alias: str, template: str = "template1") -> None:
        self.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        self.execute("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY", name, OWNERS[alias], template)
        with self.admin.cursor() as cursor:
            restrict_database(cursor, name, USERS[alias])

    def ensure_template(self) -> None:
        with self._only_one_builds():
            if not self.exists(self.template_name("vault")):
                self._drop_old_templates()
                self._build_template()

    def _build_template(self) -> None:
        """The vault's template gets its name last: where it exists, both are complete."""
        drafts = {alias: f"draft_{SLOT}_{alias}" for alias in OWNERS}
        for alias, draft in drafts.items():
            self.create(draft, alias)
        with contextlib.closing(self.servers.connect(drafts["default"])) as connection:
            lay_foundation(connection, drafts["default"], self.servers.secrets["WALL_SIGNING_KEY"])
        with contextlib.closing(self.servers.connect(drafts["vault"])) as connection:
            allow_new_log(connection)
        variables = process_environment(drafts["default"], drafts["vault"])
        run_command(variables, "migrate", "--database", "vault", role="owner")
        run_command(variables, "migrate", "--database", "default", role="owner")
        if any(ROOT.glob("*/management/commands/setup_site.py")):
            run_command(variables, "setup_site", role="worker")
        for alias, draft in drafts.items():
            self.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.template_name(alias))
            self.execute("ALTER DATABASE {} RENAME TO {}", draft, self.template_name(alias))

    def _drop_old_templates(self) -> None:
        with self.admin.cursor() as cursor:
            cursor.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE 'template\\_%%' ORDER BY oid DESC OFFSET %s", [2 * KEPT_TEMPLATES]
            )
            names = [name for (name,) in cursor.fetchall()]
        for name in names:
            with contextlib.suppress(errors.ObjectInUse):
                self.execute("DROP DATABASE IF EXISTS {}", name)

    @contextlib.contextmanager
    def _only_one_builds(self) -> Iterator[None]:
        with (SERVERS_STATE / "template.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def reset(self) -> None:
        """Both databases, the broker and the files as they were before the first test."""
        connections.close_all()
        self.ensure_template()
        for alias in OWNERS:
            self.create(database_name(alias), alias, self.template_name(alias))
        empty_broker()
        shutil.rmtree(settings.STATE, ignore_errors=True)
        Path(settings.STATE).mkdir(parents=True)

    def drop(self) -> None:
        connections.close_all()
        for alias in OWNERS:
            self.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", database_name(alias))
        self.admin.close()


def run_command(variables: dict[str, str], *arguments: str, role: str) -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments, "--verbosity", "0", "--skip-checks"],
        env={**variables, "MARKETPLACE_DB_ROLE": role},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{result.stdout}{result.stderr}")


def empty_broker() -> None:
    """Forget every message, but not which queues there are: a live worker has announced them once."""
    with contextlib.closing(redis.Redis.from_url(settings.BROKER_REDIS_URL)) as client:
        for key in client.scan_iter():
            if not key.startswith(b"_kombu.binding"):
                client.delete(key)
