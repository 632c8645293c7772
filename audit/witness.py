"""Keeps USE-3: a small witness that anybody can run, who remembers a log's newest checkpoint and signs only what continues it.

C2SP tlog-witness 1.0.0, for several logs. `python -m audit.witness FOLDER` needs of this program the four files
notes, tree, files and errors beside it, and the package cryptography. It speaks plain HTTP: put a proxy with TLS before it.

The folder holds `key` (made at the first start; keep it secret), `logs` (the keys of the logs to watch, one a line)
and, for each log, a folder named by the hash of its name with its newest checkpoint, cosigned.
"""

import argparse
import fcntl
import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from audit.errors import InvalidNote, InvalidProof
from audit.files import replace_file
from audit.notes import CheckpointText, CosigningKey, VerifierKey, decode, open_note, text_of
from audit.tree import EMPTY_ROOT, verify_consistency

_LARGEST_BODY = 50_000
_MOST_HASHES = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)
_READ = re.compile(r"/([0-9a-f]{64})/checkpoint")
_SECONDS = 20


class Answer(NamedTuple):
    status: int
    body: str = ""
    kind: str = "text/plain; charset=utf-8"


class Request(NamedTuple):
    """What a log asks: to go on from `old` to the checkpoint, with the proof that it may."""

    old: int
    proof: list[bytes]
    note: str

    @classmethod
    def parse(cls, body: bytes) -> "Request":
        """Raises InvalidNote when it is malformed."""
        try:
            head, gap, note = body.decode().partition("\n\n")
        except UnicodeDecodeError:
            raise InvalidNote("not a text") from None
        first, *lines = head.split("\n")
        old = _OLD.fullmatch(first)
        if not gap or not old or len(lines) > _MOST_HASHES:
            raise InvalidNote("old size, proof, empty line and checkpoint expected")
        return cls(int(old[1]), [decode(line) for line in lines], note)


class Witness:
    """The state in a folder. Several processes may share one."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.key = CosigningKey(name, self._seed())

    def add_checkpoint(self, body: bytes) -> Answer:
        """Check, store, sign, in this order: what was signed was stored before."""
        try:
            request = Request.parse(body)
        except InvalidNote:
            return Answer(400)
        keys = self._keys_of(request.note.partition("\n")[0])
        if not keys:
            return Answer(404)
        try:
            text = CheckpointText.parse(open_note(request.note, keys))
        except InvalidNote:
            return Answer(403)
        if request.old > text.size:
            return Answer(400)
        with self._turn(text.origin) as folder:
            return self._continue(folder, request, text)

    def checkpoint(self, origin_hash: str) -> Answer:
        path = self._folder / origin_hash / "checkpoint"
        return Answer(200, path.read_text(encoding="utf-8")) if path.exists() else Answer(404)

    def _continue(self, folder: Path, request: Request, text: CheckpointText) -> Answer:
        known = self._known(folder)
        if request.old != known.size:
            return Answer(409, f"{known.size}\n", "text/x.tlog.size")
        try:
            _check_growth(known, text, request.proof)
        except InvalidProof:
            return Answer(422)
        line = self.key.line(text_of(request.note))
        replace_file(folder / "checkpoint", request.note + line)  # before anybody is answered: a signature forgotten could be given twice
        return Answer(200, line)

    def _known(self, folder: Path) -> CheckpointText:
        path = folder / "checkpoint"
        if not path.exists():
            return CheckpointText("", 0, EMPTY_ROOT)
        return CheckpointText.parse(text_of(path.read_text(encoding="utf-8")))

    def _keys_of(self, origin: str) -> list[VerifierKey]:
        """Read anew each time: a log is added without a restart."""
        return [key for key in self._listed_keys() if key.name == origin and not key.is_witness]

    def _listed_keys(self) -> Iterator[VerifierKey]:
        """Those that can be read: a slip in one line leaves the other logs watched."""
        path = self._folder / "logs"
        lines = path.read_bytes().decode(errors="replace").splitlines() if path.exists() else []
        for number, line in enumerate(lines, 1):
            try:
                if line.strip():
                    yield VerifierKey.parse(line.strip())
            except InvalidNote as error:
                sys.stderr.write(f"Line {number} of the file logs is passed over: {error}.\n")

    @contextmanager
    def _turn(self, origin: str) -> Iterator[Path]:
        """One request of a log at a time, over threads and processes."""
        folder = self._folder / sha256(origin.encode()).hexdigest()
        folder.mkdir(exist_ok=True)
        with (folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder

    def _seed(self) -> bytes:
        path = self._folder / "key"
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
                os.fsync(file.fileno())
        except FileExistsError:
            pass
        return path.read_bytes()


def _check_growth(known: CheckpointText, text: CheckpointText, proof: list[bytes]) -> None:
    """Raise InvalidProof unless the checkpoint continues what is known. Every log continues the empty one."""
    if text.size == 0 and text.root != EMPTY_ROOT:
        raise InvalidProof("an empty log has another root")
    if known.size:
        verify_consistency(known.size, text.size, known.root, text.root, proof)
    elif proof:
        raise InvalidProof("there is nothing to prove of an empty log")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS
    witness: Witness

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint" or not length.isdecimal() or int(length) > _LARGEST_BODY:
            self.close_connection = True  # what was not read is no next request
            self._answer(Answer(404 if self.path != "/add-checkpoint" else 413))
            return
        self._answer(self.witness.add_checkpoint(self.rfile.read(int(length))))

    def do_GET(self) -> None:
        place = _READ.fullmatch(self.path)
        self._answer(self.witness.checkpoint(place[1]) if place else Answer(404))

    def _answer(self, answer: Answer) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is written about who asks."""


def serve(folder: Path, name: str, host: str, port: int) -> None:
    """Answer until the process is ended; prints the key that logs put into their settings."""
    witness = Witness(folder, name)
    handler = type("WitnessHandler", (Handler,), {"witness": witness})
    with ThreadingHTTPServer((host, port), handler) as server:
        sys.stdout.write(f"{witness.key.verifier}\nWitness on http://{host}:{server.server_port}, plain HTTP: put TLS before it.\n")
        sys.stdout.flush()
        server.serve_forever()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="where the key, the list of logs and their checkpoints are")
    parser.add_argument("--name", default="witness.example", help="the name that the witness signs under, its address without https://")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8790)


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(description="A witness of transparency logs (C2SP tlog-witness).")
    add_arguments(_parser)
    _options = _parser.parse_args()
    serve(_options.folder, _options.name, _options.host, _options.port)
