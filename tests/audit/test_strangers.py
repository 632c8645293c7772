"""The log as other people's software sees it: Go's checksum database and pymerkle."""

import json
import os
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from pymerkle import InmemoryTree

from audit.actions import integrate_entries
from audit.checkpoints import verifier_keys
from audit.identifiers import uuid7
from audit.models import Checkpoint, Leaf
from audit.proofs import consistency_proof, proof_of
from audit.tiles import entries
from tests.audit.test_proofs import read

pytestmark = pytest.mark.promise("USE-3")

worker_only = pytest.mark.usefixtures("worker")
GO_SOURCES = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog")


@pytest.fixture(scope="session")
def go_checker(tmp_path_factory):
    """The compiled program of `strangers/check.go`."""
    if shutil.which("go") is None or not GO_SOURCES.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("Go was not found, and with CI=true its tests may not be left out.")
        pytest.skip("NO GO FOUND: install golang-go and golang-golang-x-mod-dev (scripts/programs does)")
    folder = tmp_path_factory.mktemp("go")
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "GOCACHE": str(folder / "cache"),
        "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "CGO_ENABLED": "0", "GOFLAGS": "-p=1",
    }  # fmt: skip
    command = ["go", "build", "-o", str(folder / "check"), str(Path(__file__).parent / "strangers" / "check.go")]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return folder / "check"


@pytest.fixture
def whole_log(write):
    """What the Go program reads of a log with five checkpoints."""
    ids = []
    for count in (1, 2, 253, 44, 3):
        ids += write(count, uuid7() if count % 2 else None)
        integrate_entries()
    ordered = list(Leaf.objects.order_by("index").values_list("entry_id", flat=True))
    assert set(ordered) == set(ids)
    checkpoints = list(Checkpoint.objects.order_by("size"))
    bundles = entries(0) + entries(1, len(ids) - 256)
    return {
        "Key": str(verifier_keys()[0]),
        "Checkpoints": [checkpoint.note for checkpoint in checkpoints],
        "Leaves": [encode(bundles[place + 2 : place + 67]) for place in range(0, len(bundles), 67)],
        "Inclusion": [[encode(each) for each in read(proof_of(entry_id))[1]] for entry_id in ordered],
        "Consistency": [
            [[encode(each) for each in consistency_proof(old.size, new.size)] if old.size <= new.size else [] for new in checkpoints]
            for old in checkpoints
        ],
    }


def encode(data):
    return b64encode(data).decode()


def check(program, document):
    result = subprocess.run([program], input=json.dumps(document), capture_output=True, text=True, check=False)
    return result.returncode, result.stdout


def flip(text):
    """Another base64 text of the same length."""
    return ("B" if text[0] != "B" else "C") + text[1:]


@worker_only
def test_go_finds_every_entry_and_every_pair_of_checkpoints_in_order(go_checker, whole_log):
    assert check(go_checker, whole_log) == (0, "303 entries and 5 checkpoints hold\n")

    leaves, inclusion = whole_log["Leaves"], whole_log["Inclusion"]
    damaged = {
        "a changed leaf": {"Leaves": [*leaves[:7], flip(leaves[7]), *leaves[8:]]},
        "a dropped leaf": {"Leaves": leaves[:7] + leaves[8:]},
        "an inserted leaf": {"Leaves": [*leaves[:7], flip(leaves[7]), *leaves[7:302]]},
        "reordered leaves": {"Leaves": [*leaves[:7], leaves[8], leaves[7], *leaves[9:]]},
        "a changed proof": {"Inclusion": [[flip(inclusion[0][0]), *inclusion[0][1:]], *inclusion[1:]]},
        "a changed checkpoint": {"Checkpoints": [*whole_log["Checkpoints"][:4], whole_log["Checkpoints"][4].replace("\n303\n", "\n304\n")]},
        "another key": {"Key": "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"},
    }
    for what, change in damaged.items():
        assert check(go_checker, whole_log | change)[0] == 1, what


@worker_only
def test_pymerkle_grows_the_same_tree_from_the_served_leaves(write):
    for count in (5, 300):
        write(count, uuid7())
        integrate_entries()
    bundles = entries(0) + entries(1, 49)
    other = InmemoryTree(algorithm="sha256")
    for place in range(0, len(bundles), 67):
        other.append_entry(bundles[place + 2 : place + 67])

    for checkpoint in Checkpoint.objects.all():
        assert other.get_root(checkpoint.size) == bytes(checkpoint.root)
