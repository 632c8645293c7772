"""The site's settings for tests: embedded servers of their own, and databases that no other test process uses.

Each test process takes a numbered slot and holds it until it ends, so that several runs, and several
workers of one run, never meet.
"""

import fcntl
import os
from itertools import count
from pathlib import Path
from typing import Any

from marketplace.environment import EMBEDDED_ROLES, broker_url, make_state_directory, numbered_database, state_directory

ROOT = Path(__file__).resolve().parent.parent
OTHER_SERVERS = ("REDIS_URL", "CACHE_URL", "EMAIL_URL", "SITE_URL", "ALLOWED_HOSTS", "PORT", "SANDBOX_URL")


def take_slot(state: Path) -> tuple[int, Any]:
    """The first free number, and the lock that keeps it ours."""
    (state / "slots").mkdir(parents=True, exist_ok=True)
    for number in count(1):
        lock = (state / "slots" / f"{number}.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return number, lock
    raise AssertionError


for _name in (*EMBEDDED_ROLES, *OTHER_SERVERS):
    os.environ.pop(_name, None)
os.environ["MARKETPLACE_DEMO"] = "1"
os.environ["MARKETPLACE_DB_ROLE"] = "worker"  # what a test prepares and looks up; requests enter the logins of the site
# Each parallel worker has servers of its own: a transaction that is open anywhere in a cluster holds back the log's watermark.
_base = Path(os.environ.setdefault("MARKETPLACE_STATE", str(ROOT / ".state" / "test")))
if "PYTEST_XDIST_WORKER" in os.environ and _base.name != os.environ["PYTEST_XDIST_WORKER"]:
    os.environ["MARKETPLACE_STATE"] = str(_base / os.environ["PYTEST_XDIST_WORKER"])
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the browser's driver runs an event loop in the test's thread

SERVERS_STATE = state_directory()
for _directory in (SERVERS_STATE.parent.parent, SERVERS_STATE.parent, SERVERS_STATE):
    make_state_directory(_directory)

if IS_EXTERNAL := os.environ.get("TEST_SERVERS") == "external":
    from tests.external import ExternalServers

    os.environ |= ExternalServers(SERVERS_STATE).variables()

from marketplace.settings import *  # noqa: E402, F403
from marketplace.settings import CACHES, DATABASE_LOGINS, DATABASES, environment  # noqa: E402

SLOT, SLOT_LOCK = take_slot(SERVERS_STATE)
STATE = SERVERS_STATE / "slots" / str(SLOT)
MEDIA_ROOT = STATE / "files"
STATIC_ROOT = STATE / "static"
ERASURE_LEDGER = str(STATE / "erasures" / "ledger.jsonl")

DATABASES["default"]["NAME"] = f"test_{SLOT}"
DATABASES["vault"]["NAME"] = f"test_{SLOT}_vault"
for _database in DATABASES.values():
    _database["TEST"] = {"NAME": _database["NAME"], "MIGRATE": False}
for _login in DATABASE_LOGINS.values():
    _login["NAME"] = DATABASES["default"]["NAME"]

BROKER_REDIS_URL = numbered_database(environment.redis_url, 2 * SLOT)
CELERY_BROKER_URL = broker_url(BROKER_REDIS_URL)
CACHES["default"]["LOCATION"] = numbered_database(environment.redis_url, 2 * SLOT + 1)

PASSWORD_HASHERS = ["tests.hashers.QuickArgon2Hasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "exports": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": STATE / "exports", "base_url": None},
    },
    "attachments": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": STATE / "attachments", "base_url": None},
    },
}
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
