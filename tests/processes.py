"""Real processes of the product beside a test: a Celery worker that can be killed, and the sandbox of the outside world."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from django.conf import settings
from django.core.cache import cache

from marketplace.pulse import pulse_age
from marketplace.supervisor import die_with_parent
from tests.databases import slot_environment
from tests.settings import ROOT

START_LIMIT = 40  # seconds; two cores may be busy with other tests


def wait_until(condition: Callable[[], object], what: str, limit: float = START_LIMIT) -> None:
    """Ask again and again until the condition holds; fail after the limit, saying what was waited for."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit:.0f} s in vain: {what}")
        time.sleep(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class LiveProcess:
    """A process of the product in a process group of its own, its output kept in a file under `settings.STATE`."""

    def __init__(self, name: str, command: Iterable[str], **variables: str) -> None:
        self.name = name
        self.command = [sys.executable, *command]
        self.variables = variables
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    @property
    def _log_path(self) -> Path:
        return Path(settings.STATE) / f"{self.name}.log"

    def start(self) -> None:
        with self._log_path.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                env=slot_environment(**self.variables),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,  # a killed test run leaves nothing running
            )
        try:
            wait_until(self.is_ready_or_dead, f"{self.name} to start")
            assert self.process.poll() is None, f"{self.name} ended"
        except AssertionError as failure:
            failure.add_note(self.log)
            self.kill9()
            raise

    def is_ready_or_dead(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None or self.is_ready()

    def is_ready(self) -> bool:
        raise NotImplementedError

    def kill9(self) -> None:
        """Kill the process and its children at once, as a crash of the machine would."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to finish what it does and leave."""
        self._signal(signal.SIGTERM)

    def restart(self) -> None:
        self.kill9()
        self.start()

    def _signal(self, number: int) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        self.process.wait(timeout=START_LIMIT)
        self.process = None


class LiveWorker(LiveProcess):
    """A Celery worker with the role of a worker."""

    def __init__(self, **variables: str) -> None:
        command = ["-m", "celery", "-A", "marketplace.celery", "worker", "--concurrency", "1", "--without-gossip", "--without-mingle"]
        super().__init__("worker", command, MARKETPLACE_DB_ROLE="worker", **variables)

    def start(self) -> None:
        cache.delete("pulse:worker")
        super().start()

    def is_ready(self) -> bool:
        return pulse_age("worker") is not None


class Sandbox(LiveProcess):
    """The payment provider and the carrier of the demo, sending their webhooks to `site_url`."""

    def __init__(self, site_url: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        variables = {"SANDBOX_PORT": str(self.port), "SANDBOX_URL": self.url, "SITE_URL": site_url}
        super().__init__("sandbox", ["-m", "marketplace.demo.sandbox"], **variables)

    def is_ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
