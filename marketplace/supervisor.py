"""Runs the whole marketplace on one machine: `make run`.

Starts the embedded servers where no others are configured, brings the databases up to date, starts
the processes, starts them again when they crash, and stops everything on Ctrl-C or SIGTERM.
"""

import contextlib
import ctypes
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg2
import redis
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from marketplace.embedded import ServerFailed, lease_if_embedded
from marketplace.environment import ROOT, Environment, make_state_directory
from marketplace.preparation import say

READY_LIMIT = 60  # seconds
STOP_LIMIT = 8
CRASHES_ALLOWED = 5
CRASH_WINDOW = 120
LONGEST_PAUSE = 20
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - what to ask where BIND says so
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


class StartFailed(RuntimeError):
    """The marketplace cannot run. The message is one line for people."""


class Stopped(BaseException):
    """Somebody asked us to stop. The message is the signal's name."""


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
    worker = [*celery, "worker", "--concurrency", str(environment.number("WORKERS", 2)), "--without-gossip", "--without-mingle"]
    children = [
        Child("web", ["-m", "gunicorn", "--config", "python:marketplace.gunicorn", "marketplace.wsgi"], {"MARKETPLACE_DB_ROLE": "web"}),
        Child("worker", worker, {"MARKETPLACE_DB_ROLE": "worker"}),
        Child("beat", [*celery, "beat", "--pidfile="], {"MARKETPLACE_DB_ROLE": "worker"}),
    ]
    if environment.demo and find_spec("marketplace.demo") and find_spec("marketplace.demo.sandbox"):
        children.insert(0, Child("sandbox", ["-m", "marketplace.demo.sandbox"]))
    return children


def require_free_port(port: int) -> None:
    host = os.environ.get("BIND", "127.0.0.1").strip("[]")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror:
            raise StartFailed(f"BIND={host} is not an address of this machine.") from None
        except OSError as error:
            raise StartFailed(f"Port {port} cannot be used ({error.strerror}): choose another, as in `make run PORT={port + 1}`.") from None


def require_settings(environment: Environment) -> None:
    """Read the site's settings as the worker role. Raises ImproperlyConfigured for what is missing or unsafe."""
    from django.conf import settings

    os.environ["MARKETPLACE_DB_ROLE"] = "worker"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    settings.INSTALLED_APPS  # noqa: B018 - the first look reads them
    for variable in ("WORKERS", "WEB_WORKERS", "WEB_THREADS"):
        environment.number(variable, 1)


def require_servers(environment: Environment) -> None:
    """Ask each configured server once, so that an unreachable one gets a line of its own."""
    roles = {role: Environment({**os.environ, "MARKETPLACE_DB_ROLE": role}) for role in ("web", "worker", "owner")}
    for login, database in {login: database for told in roles.values() for login, database in told.database_logins().items()}.items():
        require_database(f"The default database, as {login},", database)
    for role, told in roles.items():
        require_database(f"The vault database, as {role},", told.databases()["vault"])
    try:
        client = redis.Redis.from_url(environment.redis_url, socket_connect_timeout=5, socket_timeout=5, retry=Retry(NoBackoff(), 0))
        with contextlib.closing(client):
            client.ping()
    except redis.RedisError as error:
        raise StartFailed(f"The broker (REDIS_URL) does not answer: {type(error).__name__}.") from None


def require_database(name: str, database: dict[str, Any]) -> None:
    try:
        psycopg2.connect(
            host=database["HOST"] or None,
            port=database["PORT"] or None,
            user=database["USER"],
            password=database["PASSWORD"],
            dbname=database["NAME"],
            **database["OPTIONS"],
        ).close()
    except psycopg2.Error as error:
        reason = str(error).strip().splitlines()[-1]
        raise StartFailed(f"{name} does not answer: {reason}") from None


def run_to_the_end(command: list[str], role: str, stdout: int | None = None) -> int:
    """Run one of our programs and wait; a Ctrl-C reaches us alone, and ends it by Stopped."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "MARKETPLACE_DB_ROLE": role},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        start_new_session=True,
        preexec_fn=die_with_parent,
        check=False,
    ).returncode


def prepare_databases() -> None:
    if run_to_the_end(["-m", "marketplace.preparation"], "owner") != 0:
        raise StartFailed("The databases could not be brought up to date; what stands above says why, `manage.py migrate` shows more.")


def prepare_site() -> None:
    """What the site's own command keeps in the database."""
    import django
    from django.core.management import CommandError, call_command, get_commands
    from django.db import connections

    django.setup()
    commands = get_commands()
    if "setup_site" in commands:
        try:
            call_command("setup_site", verbosity=0)
        except CommandError as error:
            reasons = " ".join(str(error).splitlines())
            raise StartFailed(f"The site's rules and texts could not be put in place: {reasons}") from None
        say("The site's rules and texts are in place")
    connections.close_all()


@dataclass
class DemoLoader:
    """Tells the demo's story, as the owner of the database: its first day before the site starts, the rest beside it."""

    environment: Environment
    process: subprocess.Popen[bytes] | None = None
    has_failed: bool = False

    @property
    def loaded(self) -> Path:
        return self.environment.state / "demo.loaded"

    @property
    def is_needed(self) -> bool:
        return self.environment.demo and not self.has_failed and not self.loaded.exists()

    def tell_first_day(self) -> None:
        if self.is_needed and run_to_the_end(["manage.py", "load_demo", "--first-day"], "owner", stdout=subprocess.DEVNULL) != 0:
            say("The demo starts without its story.")
            self.has_failed = True

    def start(self) -> None:
        if self.is_needed:
            say("Telling the demo's story: lists and charts fill while you look around")
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "load_demo"],
                cwd=ROOT,
                env={**os.environ, "MARKETPLACE_DB_ROLE": "owner"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread of ours runs yet
            )
            os.set_blocking(self.process.stdout.fileno(), False)  # type: ignore[union-attr]

    def report(self) -> None:
        """Say what it has said since, and how it ended."""
        if self.process is None:
            return
        code = self.process.poll()
        said = self.process.stdout.read() or b""  # type: ignore[union-attr]
        for line in said.decode().splitlines():
            say(f"The demo's story: {line}")
        if code is not None:
            self.process = None
            if code == 0:
                self.loaded.touch()
                say("The demo's story is told")
            else:
                say("The demo's story is incomplete; the next start goes on with it.")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own address on this machine
            return bool(response.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def run_processes(children: list[Child], environment: Environment, demo: DemoLoader, signals: "StopSignals") -> None:
    """Start them, say when the site answers, and keep them running until Stopped or StartFailed is raised.

    Runs inside `signals.held()`: a stop in the middle of a start would lose sight of the new process.
    """
    for child in children:
        child.start()
    say(f"Starting {', '.join(child.name for child in children)}")
    address = own_address(environment.port)
    limit = time.monotonic() + READY_LIMIT
    ready = False
    while True:
        signals.check()
        for child in children:
            child.keep_running()
        if not ready and answers(f"{address}/healthz"):
            ready = True
            welcome(environment)
            demo.start()
        if not ready and time.monotonic() > limit:
            raise StartFailed(f"The site did not become healthy within {READY_LIMIT} s; {address}/healthz says what is missing.")
        demo.report()
        time.sleep(0.1 if not ready else 0.5)


def own_address(port: int) -> str:
    """Where the web server can be asked from this machine."""
    host = os.environ.get("BIND", "127.0.0.1")
    return f"http://{EVERYWHERE.get(host, host)}:{port}"


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


class StopSignals:
    """Turns the first signal that asks us to stop into Stopped, and ignores the rest.

    Inside `held()` it waits, so that no server is left behind half started. It is remembered in any
    case: what is raised while Python runs a callback of its own (a fork's, a destructor) gets lost.
    """

    def __init__(self) -> None:
        self.are_held = False
        self.waiting: int | None = None

    def listen(self) -> None:
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self.receive)

    def receive(self, number: int, frame: FrameType | None) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        self.waiting = number
        if not self.are_held:
            self.check()

    def check(self) -> None:
        """Raises Stopped when somebody asked."""
        if self.waiting is not None:
            raise Stopped(signal.Signals(self.waiting).name)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        self.are_held = True
        try:
            yield
        finally:
            self.are_held = False
        self.check()


def choose_sandbox(environment: Environment) -> None:
    if not environment.demo or os.environ.get("SANDBOX_URL"):
        return
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    os.environ["SANDBOX_PORT"] = str(port)
    os.environ["SANDBOX_URL"] = f"http://127.0.0.1:{port}"
    os.environ["SITE_URL"] = environment.site_url
    os.environ["SANDBOX_WEBHOOK_SECRET"] = environment.required("SANDBOX_WEBHOOK_SECRET")


@contextlib.contextmanager
def one_demo(environment: Environment) -> Iterator[None]:
    """A demo is on one state directory alone. Raises StartFailed for a second; a killed one counts as gone."""
    with (environment.state / "site.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            reason = f"The demo in {environment.state} runs already: use that, or choose another MARKETPLACE_STATE."
            raise StartFailed(reason) from None
        yield


def supervise(environment: Environment, signals: StopSignals) -> None:
    require_free_port(environment.port)
    choose_sandbox(environment)
    require_settings(environment)
    with contextlib.ExitStack() as stack:
        if environment.demo:
            stack.enter_context(one_demo(environment))
        if environment.uses_embedded_postgres or environment.uses_embedded_valkey:
            say("Starting PostgreSQL and Valkey")
        with signals.held():
            stack.enter_context(lease_if_embedded())
        require_servers(environment)
        prepare_databases()
        demo = DemoLoader(environment)
        demo.tell_first_day()
        prepare_site()
        children = site_processes(environment)
        try:
            with signals.held():
                run_processes(children, environment, demo, signals)
        finally:
            say("Stopping")
            demo.stop()
            stop_processes(children)


def main() -> int:
    try:
        environment = Environment()
        os.environ["MARKETPLACE_STATE"] = str(environment.state)
        os.umask(0o077)  # what the processes write is for this account alone
        make_state_directory(environment.state)
        say(f"Marketplace, {'demo' if environment.demo else 'production'}, state in {environment.state}")
        signals = StopSignals()
        signals.listen()
        supervise(environment, signals)
    except Stopped as reason:
        say(f"Stopped by {reason}")
        return 0
    except (ImproperlyConfigured, ServerFailed, StartFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
