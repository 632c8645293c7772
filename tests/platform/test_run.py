"""`make run` as people meet it: it starts, survives crashes, recovers from a power cut, and explains what is wrong in one line."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest
from django.core import management

from marketplace import supervisor
from marketplace.embedded import Servers, first_number, remove
from marketplace.environment import EMBEDDED_ROLES, MAIN_VARIABLES, ROOT
from tests.processes import free_port, wait_until

SIGNALED = """
import os, signal
from marketplace.supervisor import Stopped, StopSignals
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signals = StopSignals()
signals.listen()
os.kill(os.getpid(), signal.SIGHUP)
print("outlived its terminal")
try:
    with signals.held():
        os.kill(os.getpid(), signal.SIGTERM)
        print("finished what was held")
except Stopped as reason:
    print(reason)
"""
SIGNALED_IN_A_CALLBACK = """
import os, signal
from marketplace.supervisor import Stopped, StopSignals
signals = StopSignals()
signals.listen()
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
child = os.fork()
if not child:
    os._exit(0)
os.waitpid(child, 0)
print("went on")
try:
    signals.check()
except Stopped as reason:
    print(reason)
"""
QUIET = ("DATABASE_URL", "REDIS_URL", "MARKETPLACE_DB_ROLE", "DJANGO_SETTINGS_MODULE", "MARKETPLACE_DEMO", "PORT")


class Run:
    """One `make run` on a state directory and port of its own."""

    def __init__(self, state, name="output"):
        self.state = state
        self.port = free_port()
        self.process = None
        self.output = state.parent / name

    def start(self, **variables):
        environ = {name: value for name, value in os.environ.items() if name not in QUIET}
        environ |= {"MARKETPLACE_STATE": str(self.state), "PORT": str(self.port), **variables}
        with self.output.open("ab") as output:
            command = [sys.executable, "-m", "marketplace.supervisor"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output, start_new_session=True)

    def health(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            error.close()
            return {"healthy": False}
        except OSError:
            return {"healthy": False}

    def wait_healthy(self, limit):
        started = time.monotonic()
        wait_until(lambda: self.health()["healthy"] or self.process.poll() is not None, "the site to be healthy", limit)
        assert self.process.poll() is None, self.output.read_text()
        return time.monotonic() - started

    def child(self, word):
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if word in " ".join(child.cmdline()))

    def kill_everything(self):
        layout = Servers(self.state).layout
        pids = [first_number(layout.data / "postmaster.pid"), first_number(layout.broker / "valkey.pid")]
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for child in family:
            if child.is_running():
                child.kill()
        self.process.wait()
        psutil.wait_procs(family, timeout=10)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@pytest.fixture
def run(tmp_path):
    running = Run(tmp_path / "state")
    yield running
    if running.process and running.process.poll() is None:
        running.process.kill()
        running.process.wait()
    remove(running.state)


def test_the_site_starts_survives_crashes_and_recovers(run):
    run.start()
    run.wait_healthy(90)
    wait_until(lambda: f"Ready: http://127.0.0.1:{run.port}" in run.output.read_text(), "the address to be printed")

    second = Run(run.state, "second")
    (line,) = fails_with_one_line(second)
    assert "runs already" in line

    web = run.child("gunicorn")
    web.send_signal(signal.SIGKILL)
    web.wait(10)
    wait_until(lambda: run.health()["healthy"], "the crashed web process to be started again")

    run.kill_everything()
    run.start()
    run.wait_healthy(45)

    family = psutil.Process(run.process.pid).children(recursive=True)
    assert run.stop(signal.SIGINT) == 0
    assert not [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert not Servers(run.state).is_running()


def test_a_stop_while_the_servers_start_leaves_nothing_running(run):
    run.start()
    wait_until(lambda: "Starting PostgreSQL" in run.output.read_text(), "the servers to be started")

    assert run.stop() == 0
    assert "Stopped by SIGTERM" in run.output.read_text()
    layout = Servers(run.state).layout
    assert not (layout.data / "postmaster.pid").exists()
    assert not (layout.broker / "valkey.pid").exists()


def test_a_stop_waits_for_what_is_held_and_nohup_keeps_its_meaning():
    result = subprocess.run([sys.executable, "-c", SIGNALED], cwd=ROOT, capture_output=True, text=True, check=True)

    assert result.stdout.splitlines() == ["outlived its terminal", "finished what was held", "SIGTERM"]


def test_a_stop_that_python_loses_in_a_callback_is_remembered():
    result = subprocess.run([sys.executable, "-c", SIGNALED_IN_A_CALLBACK], cwd=ROOT, capture_output=True, text=True, check=True)

    assert result.stdout.splitlines() == ["went on", "SIGINT"]


def test_a_site_that_cannot_be_set_up_says_why_in_one_line(monkeypatch):
    def refuse(*arguments, **options):
        raise management.CommandError("orders.Order.code is not declared.\norders.Order.note is not declared.")

    monkeypatch.setattr(management, "call_command", refuse)

    with pytest.raises(supervisor.StartFailed) as failure:
        supervisor.prepare_site()

    assert str(failure.value).endswith("orders.Order.code is not declared. orders.Order.note is not declared.")


def fails_with_one_line(run, **variables):
    run.start(**variables)
    assert run.process.wait(timeout=60) == 1
    lines = run.output.read_text().splitlines()
    return [line for line in lines if not line.startswith("  ")]


def test_a_taken_port_gets_one_line(run):
    with socket.create_server(("127.0.0.1", run.port)):
        (line,) = fails_with_one_line(run)

    assert str(run.port) in line


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({**dict.fromkeys(EMBEDDED_ROLES, "nonsense"), "MARKETPLACE_DEMO": "1"}, "must start with"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "REDIS_URL"),
        ({"MARKETPLACE_DEMO": "0"}, "is not set"),
        ({"WORKERS": "many"}, "WORKERS"),
        ({"BIND": "nowhere.invalid"}, "BIND"),
    ],
)
def test_a_broken_or_unreachable_server_gets_one_line(run, variables, word):
    (line,) = fails_with_one_line(run, **variables)

    assert word in line


def test_an_unreachable_database_gets_one_line_without_its_password(run):
    url = "postgresql://web:secret-part@127.0.0.1:1/market"
    variables = [*MAIN_VARIABLES.values(), "VAULT_DATABASE_URL", "VAULT_DATABASE_OWNER_URL"]
    urls = dict.fromkeys(variables, url)

    (line,) = fails_with_one_line(run, MARKETPLACE_DEMO="1", REDIS_URL="redis://127.0.0.1:1/0", **urls)

    assert "default database" in line
    assert "secret-part" not in line
