"""The web server's own lines hold no address and no value of a request."""

import os
import socket
import subprocess
import sys

import pytest

from marketplace.environment import ROOT
from tests.processes import free_port, wait_until

MARKER = "Aisha-7c1d"
APPLICATION = """
def application(environ, start_response):
    start_response("200 OK", [])
    yield b"begun"
    raise ValueError(environ["PATH_INFO"])
"""


@pytest.fixture
def server(tmp_path):
    (tmp_path / "failing.py").write_text(APPLICATION)
    port, log = free_port(), tmp_path / "log"
    variables = os.environ | {"PORT": str(port), "WEB_WORKERS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:marketplace.gunicorn", "failing:application"]
    with log.open("w") as output, subprocess.Popen(command, env=variables, stdout=output, stderr=output) as process:
        wait_until(lambda: is_open(port), "the web server to listen")
        yield port, log
        process.terminate()


def is_open(port) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def send(port, text) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(text.encode())
        while client.recv(1000):
            pass


@pytest.mark.promise("COLLECT-1")
def test_a_malformed_request_is_logged_without_its_sender(server):
    port, log = server

    send(port, f"GET /?q={MARKER} HTTP/9.9 {MARKER}\r\n\r\n")

    wait_until(lambda: "A request was malformed." in log.read_text(), "the line in the log")
    assert "127.0.0.1" not in log.read_text()
    assert MARKER not in log.read_text()


@pytest.mark.promise("PROTECT-4")
def test_an_answer_that_breaks_off_is_logged_without_the_words_of_the_exception(server):
    port, log = server

    send(port, f"GET /password-reset/{MARKER}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")

    wait_until(lambda: "ValueError" in log.read_text(), "the line in the log")
    assert MARKER not in log.read_text()
