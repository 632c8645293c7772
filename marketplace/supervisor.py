"""Runs the whole marketplace on one machine: `make run`.

Starts the embedded servers where no others are configured, brings the databases up to date, starts
the processes, starts them again when they crash, and stops everything on Ctrl-C or SIGTERM.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import FrameType

import psycopg2
import redis
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from marketplace.embedded import ServerFailed, lease_if_embedded
from marketplace.environment import ROOT, Environment
from marketplace.preparation import say

READY_LIMIT = 60  # seconds
STOP_LIMIT = 8
CRASHES_ALLOWED = 5
CRASH_WINDOW = 120
LONGEST_PAUSE = 20
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


class StartFailed(RuntimeError):
    """The marketplace cannot run. The message is one line for people."""


class Stopped(BaseException):
    """Somebody asked us to stop."""


def die_with_parent() -> None:
    """Have the kernel stop this process when the supervisor is killed, so that the next start finds the port free."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)


@dataclass
class Child:
    """A process that is kept running."""

    name: str
    command: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    crashes: list[float] = field(default_factory=list)
    start_at: float = 0.0

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *self.command],
            env={**os.environ, **self.variables},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C reaches the supervisor alone, which stops them in order
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread of ours runs yet
        )

    def keep_running(self) -> None:
        """Start it again after a crash, later after each. Raises StartFailed when it keeps crashing."""
        if self.process is None:
            if time.monotonic() >= self.start_at:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self.process = None
        now = time.monotonic()
        self.crashes = [moment for moment in self.crashes if now - moment < CRASH_WINDOW] + [now]
        if len(self.crashes) >= CRASHES_ALLOWED:
            raise StartFailed(f"The {self.name} process keeps ending (last with code {code}); giving up.")
        pause = min(2 ** (len(self.crashes) - 1), LONGEST_PAUSE)
        self.start_at = now + pause
        say(f"The {self.name} process ended with code {code}; it starts again in {pause} s")

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number) if number == signal.SIGKILL else self.process.send_signal(number)

    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None


def site_processes(environment: Environment) -> list[Child]:
    quiet = ["-W", "ignore:::celery.platforms"] if environment.demo else []  # it warns of root, which the demo may be
    celery = [*quiet, "-m", "celery", "--quiet", "-A", "marketplace.celery", "--skip-checks"]
    worker = [*celery, "worker", "--concurrency", os.environ.get("WORKERS", "2"), "--without-gossip", "--without-mingle"]
    children = [
        Child("web", ["-m", "gunicorn", "--config", "python:marketplace.gunicorn", "marketplace.wsgi"], {"MARKETPLACE_DB_ROLE": "web"}),
        Child("worker", worker, {"MARKETPLACE_DB_ROLE": "worker"}),
        Child("beat", [*celery, "beat", "--pidfile="], {"MARKETPLACE_DB_ROLE": "worker"}),
    ]
    if environment.demo and find_spec("marketplace.demo") and find_spec("marketplace.demo.sandbox"):
        children.insert(0, Child("sandbox", ["-m", "marketplace.demo.sandbox"]))
    return children


def require_free_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("BIND", "127.0.0.1"), port))
        except OSError as error:
            raise StartFailed(f"Port {port} cannot be used ({error.strerror}): choose another, as in `make run PORT={port + 1}`.") from None


def require_servers(environment: Environment) -> None:
    """Ask each configured server once, so that an unreachable one gets a line of its own."""
    os.environ.setdefault("MARKETPLACE_DB_ROLE", "web")
    for alias, database in environment.databases().items():
        try:
            psycopg2.connect(
                host=database["HOST"] or None,
                port=database["PORT"] or None,
                user=database["USER"],
                password=database["PASSWORD"],
                dbname=database["NAME"],
                **database["OPTIONS"],  # type: ignore[arg-type]
            ).close()
        except psycopg2.OperationalError as error:
            reason = str(error).strip().splitlines()[-1]
            raise StartFailed(f"The {alias} database does not answer: {reason}") from None
    try:
        client = redis.Redis.from_url(environment.redis_url, socket_connect_timeout=5, socket_timeout=5, retry=Retry(NoBackoff(), 0))
        with contextlib.closing(client):
            client.ping()
    except redis.RedisError as error:
        raise StartFailed(f"The broker (REDIS_URL) does not answer: {type(error).__name__}.") from None


def prepare_databases() -> None:
    command = [sys.executable, "-m", "marketplace.preparation"]
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, "MARKETPLACE_DB_ROLE": "owner"}, check=False)
    if result.returncode != 0:
        raise StartFailed("The databases could not be brought up to date; the lines above say why.")


def prepare_site(environment: Environment) -> None:
    """What the site's own command keeps in the database."""
    import django
    from django.core.management import call_command, get_commands
    from django.db import connections

    os.environ["MARKETPLACE_DB_ROLE"] = "worker"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    django.setup()
    commands = get_commands()
    if "setup_site" in commands:
        call_command("setup_site", verbosity=0)
        say("The site's rules and texts are in place")
    connections.close_all()


def load_demo_once(environment: Environment) -> None:
    """The demo's orders go through the running worker and sandbox, so this waits until the site answers."""
    loaded = environment.state / "demo.loaded"
    if not environment.demo or loaded.exists():
        return
    say("Loading the demo's data, once")
    command = [sys.executable, "manage.py", "load_demo"]
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, "MARKETPLACE_DB_ROLE": "worker"}, stdout=subprocess.DEVNULL, check=False)
    if result.returncode == 0:
        loaded.touch()
    else:
        say("The demo's data is incomplete; the next start tries again.")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own address on this machine
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def run_processes(children: list[Child], environment: Environment) -> None:
    """Start them, say when the site answers, and keep them running until Stopped or StartFailed is raised."""
    for child in children:
        child.start()
    say(f"Starting {', '.join(child.name for child in children)}")
    address = f"http://127.0.0.1:{environment.port}"
    limit = time.monotonic() + READY_LIMIT
    ready = False
    while True:
        for child in children:
            child.keep_running()
        if not ready and answers(f"{address}/healthz"):
            ready = True
            load_demo_once(environment)
            welcome(environment)
        if not ready and time.monotonic() > limit:
            raise StartFailed(f"The site did not become healthy within {READY_LIMIT} s; {address}/healthz says what is missing.")
        time.sleep(0.1 if not ready else 0.5)


def welcome(environment: Environment) -> None:
    url = environment.site_url
    say(f"Ready: {url}")
    pages = {"/": "the shop", "/account/data/": "a customer's own data", "/privacy/policy/": "the policy", "/admin/": "for staff"}
    if environment.demo:
        pages["/demo/mailbox/"] = "every mail that was sent"
    for path, meaning in pages.items():
        say(f"  {url}{path:<18} {meaning}")
    for line in demo_accounts(environment):
        say(f"  {line}")
    say("Ctrl-C stops everything and keeps the data.")


def demo_accounts(environment: Environment) -> list[str]:
    """The demo's accounts, as lines for people."""
    if not (environment.demo and find_spec("marketplace.demo") and find_spec("marketplace.demo.accounts")):
        return []
    from marketplace.demo import accounts

    listing = accounts.listing()
    return listing.splitlines() if isinstance(listing, str) else list(listing)


def stop_processes(children: list[Child]) -> None:
    """Ask first, insist later: the worker may finish its task, or gives it back to the queue."""
    for number, patience in ((signal.SIGTERM, STOP_LIMIT), (signal.SIGQUIT, 2), (signal.SIGKILL, 2)):
        for child in children:
            child.signal(number)
        end = time.monotonic() + patience
        while not all(child.has_ended() for child in children) and time.monotonic() < end:
            time.sleep(0.05)


@contextlib.contextmanager
def stopping_on_signals() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    yield


def choose_sandbox(environment: Environment) -> None:
    if not environment.demo or os.environ.get("SANDBOX_URL"):
        return
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    os.environ["SANDBOX_PORT"] = str(port)
    os.environ["SANDBOX_URL"] = f"http://127.0.0.1:{port}"
    os.environ["SITE_URL"] = environment.site_url
    os.environ["SANDBOX_WEBHOOK_SECRET"] = environment.required("SANDBOX_WEBHOOK_SECRET")


def supervise(environment: Environment) -> None:
    require_free_port(environment.port)
    children: list[Child] = []
    if environment.uses_embedded_postgres or environment.uses_embedded_valkey:
        say("Starting PostgreSQL and Valkey")
    with lease_if_embedded():
        require_servers(environment)
        choose_sandbox(environment)
        prepare_databases()
        prepare_site(environment)
        children = site_processes(environment)
        try:
            run_processes(children, environment)
        finally:
            say("Stopping")
            stop_processes(children)


def main() -> int:
    try:
        environment = Environment()
        os.environ["MARKETPLACE_STATE"] = str(environment.state)
        say(f"Marketplace, {'demo' if environment.demo else 'production'}, state in {environment.state}")
        with stopping_on_signals():
            supervise(environment)
    except Stopped:
        return 0
    except (ImproperlyConfigured, ServerFailed, StartFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
