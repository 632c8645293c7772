"""The restore drill: backups put back into another place, with new servers, and everything that must not come back."""

import base64
import json
import os
import re
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from audit.grants import LogKept
from marketplace.backups import restoring
from marketplace.backups.making import DATA
from marketplace.backups.manifest import key_checks
from marketplace.backups.postgres import program_path
from marketplace.embedded import remove
from marketplace.environment import ROOT
from orders.lifecycle.models import OrderAddress
from privacy.access.gate import unit_of_work
from privacy.alerts.models import Alert
from privacy.alerts.tasks import watch_wall
from privacy.rights import erasure
from privacy.vault.ledger import copy_ledger, ledger_path, read_ledger
from privacy.vault.models import DestroyedKey, EpochSecret
from privacy.wall.context import entered
from privacy.wall.logins import Login
from tests.databases import slot_environment
from tests.orders import factories
from tests.privacy.rights.test_erasure import erase

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.promise("RIGHTS-3"),
    pytest.mark.promise("PROTECT-1"),
    pytest.mark.promise("PROTECT-2"),
]

LOOK = """
import json, sys
from uuid import UUID
from audit.actions import integrate_entries, verify_log
from audit.events import Event
from audit.models import Entry
from orders.lifecycle.models import OrderAddress, OrderContact
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor
from privacy.vault.models import Subject, SubjectKey
kept, erased = map(UUID, sys.argv[1:])
with unit_of_work(), open_access(by=Actor.job("look"), purpose=Purpose.DISPATCH, subject=kept, reason="drill") as grant:
    line = grant.open(OrderAddress.objects.get(subject=kept).line1)
integrate_entries()
gone = Subject.objects.get(pk=erased)
print(json.dumps({
    "line": line,
    "erased": gone.erased_at is not None,
    "rows": OrderContact.objects.filter(subject=erased).count() + OrderAddress.objects.filter(subject=erased).count(),
    "keys": SubjectKey.objects.filter(subject_id=erased).exclude(scope="records").count(),
    "replayed": Entry.objects.filter(event=Event.ERASURE_REPLAYED, subject_id=erased).count(),
    "log": verify_log().result,
}))
"""


def script(text: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run by the worker, which alone may add to the log's tree."""
    worker = {"MARKETPLACE_DB_ROLE": "worker", **variables}
    code = (
        f"import django; django.setup()\nfrom marketplace.embedded import lease_if_embedded\nwith lease_if_embedded():\n    exec({text!r})"
    )
    return run("-c", code, *arguments, **worker)


def integrate() -> None:
    done = script("from audit.actions import integrate_entries; integrate_entries()", **slot_environment())
    assert done.returncode == 0, done.stderr


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], env=variables, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def manage(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run("manage.py", *command, **variables)


def elsewhere(state: Path, **changes: str) -> dict[str, str]:
    """Another machine: servers of its own, and the keys that were kept on paper."""
    here = {name: value for name, value in slot_environment().items() if not name.endswith("_URL")}
    return here | {"MARKETPLACE_STATE": str(state), **changes}


@pytest.fixture(autouse=True)
def nothing_blocks(monkeypatch):
    monkeypatch.setattr(erasure, "_blockers", [])


@pytest.fixture
def backup(tmp_path, transactional_db):
    """Two people with an order each, backed up; and the two directories."""
    kept, erased = (factories.make_customer(), factories.make_customer())
    for user in (kept, erased):
        factories.packed(user=user)
    integrate()
    made = manage("backup", str(tmp_path / "backups"), **slot_environment())
    assert made.returncode == 0, made.stderr
    data, keys = sorted(path for path in (tmp_path / "backups").iterdir() if path.is_dir())
    return kept, erased, data, keys


@pytest.fixture
def place(tmp_path):
    state = tmp_path / "elsewhere"
    yield state
    remove(state)


def test_a_restore_elsewhere_brings_everything_back_but_what_was_erased_since(backup, place):
    kept, erased, data, keys = backup
    erase(erased)

    ledger = str(ledger_path())
    done = manage("restore", "--data", str(data), "--keys", str(keys), "--ledger", ledger, **elsewhere(place))

    assert done.returncode == 0, done.stderr
    assert "The log verifies" in done.stdout
    look = script(LOOK, str(kept.subject_id), str(erased.subject_id), **elsewhere(place))
    assert look.returncode == 0, look.stderr
    found = json.loads(look.stdout)
    assert found.pop("line")
    assert found == {"erased": True, "rows": 0, "keys": 0, "replayed": 1, "log": "ok"}


@pytest.mark.promise("USE-3")
def test_a_restore_signs_nothing_that_contradicts_what_was_published_since(backup, place, tmp_path):
    """Not even once, and not by the first worker that starts: the backup's own checkpoint is as old as its data."""
    _kept, erased, data, keys = backup
    published = {"AUDIT_PUBLISH": f"file://{tmp_path}/copies"}
    erase(erased)
    publish = (
        "from audit.actions import integrate_entries; integrate_entries(); from audit.publishing import publish_newest; publish_newest()"
    )
    assert script(publish, **slot_environment(**published)).returncode == 0
    done = manage("restore", "--data", str(data), "--keys", str(keys), "--ledger", str(ledger_path()), **elsewhere(place))
    assert done.returncode == 0, done.stderr
    count = "from audit.models import Checkpoint; print(Checkpoint.objects.count())"
    before = script(count, **elsewhere(place)).stdout

    refused = script("from audit.actions import integrate_entries; integrate_entries()", **elsewhere(place, **published))

    assert "LogRolledBack" in refused.stderr
    assert script(count, **elsewhere(place)).stdout == before


def test_nothing_in_a_backup_can_be_read(backup):
    *_people, data, keys = backup

    for path in (path for directory in (data, keys) for path in directory.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert b"Marker" not in content, path
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_keys_open_nothing_without_the_file_that_is_never_kept_in_versions(backup, place):
    """A copy of the keys from long ago, when the secrets of its epochs were destroyed since."""
    *_people, data, keys = backup
    (keys.parent / "epoch-secrets.json").write_text("{}")

    done = manage("restore", "--data", str(data), "--keys", str(keys), **elsewhere(place))

    assert done.returncode == 1
    assert "1 epochs of these keys have no secret any more" in done.stderr
    secret = base64.b64encode(bytes(EpochSecret.objects.get().wrapped))
    assert not any(secret in path.read_bytes() for path in keys.rglob("*") if path.is_file())


def test_the_secrets_of_epochs_are_written_over(backup):
    *_people, keys = backup
    file = keys.parent / "epoch-secrets.json"
    (secret,) = json.loads(file.read_text()).values()
    assert base64.b64decode(secret["wrapped"]) == bytes(EpochSecret.objects.get().wrapped)
    assert file.stat().st_mode & 0o077 == 0
    file.write_text("old")

    assert manage("backup", "--only", "keys", str(keys.parent), **slot_environment()).returncode == 0

    assert list(json.loads(file.read_text()).values()) == [secret]
    assert [path.name for path in keys.parent.glob("*epoch*")] == ["epoch-secrets.json"]


def test_a_damaged_backup_is_refused(backup, place):
    *_people, data, keys = backup
    dump = data / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-1] + b"?")

    done = manage("restore", "--data", str(data), "--keys", str(keys), **elsewhere(place))

    assert done.returncode == 1
    assert "The backup is damaged: database.dump" in done.stderr


def test_a_site_without_the_keys_is_refused(backup, place):
    *_people, data, keys = backup
    other = "2:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

    done = manage("restore", "--data", str(data), "--keys", str(keys), **elsewhere(place, KEY_ENCRYPTION_KEYS=other))

    assert done.returncode == 1
    assert "has not the keys that the backup needs: KEY_ENCRYPTION_KEYS version 1" in done.stderr


def test_what_is_there_is_not_replaced_unasked(backup):
    kept, _erased, data, keys = backup

    done = manage("restore", "--data", str(data), "--keys", str(keys), **slot_environment())

    assert done.returncode == 1
    assert "stop web, workers and beat first" in done.stderr or "is not empty" in done.stderr
    assert OrderAddress.objects.filter(subject=kept.subject).exists()


def test_a_backup_that_cannot_be_written_leaves_nothing(tmp_path):
    place = tmp_path / "full"
    place.write_text("a file where the directory should be")

    made = manage("backup", str(place), **slot_environment())

    assert made.returncode == 1
    assert "was not made" in made.stderr


# The wall while a dump is made


def rows_in(dump):
    """How many rows of each table a dump holds."""
    program = program_path("default", "pg_restore")
    text = subprocess.run([program, "--data-only", "--file=-", str(dump)], capture_output=True, text=True, check=True).stdout
    return {table: lines.count("\n") for table, lines in re.findall(r"^COPY public\.(\w+) .*?;\n(.*?)^\\\.$", text, re.M | re.S)}


def test_a_dump_by_the_worker_holds_every_row_of_every_table(backup, owner_connection):
    *_people, data, _keys = backup
    tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"

    with closing(owner_connection()) as superuser, superuser.cursor() as cursor:
        cursor.execute(tables)
        there = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            (there[table],) = cursor.fetchone()

    held = rows_in(data / "database.dump")
    assert held == there
    assert held["orders_orderaddress"] >= 2
    assert sum(count for table, count in held.items() if table.startswith("audit_entry")) > 0


def forced_tables(cursor):
    cursor.execute("SELECT count(*) FROM pg_class WHERE relforcerowsecurity AND relrowsecurity")
    return cursor.fetchone()[0]


def test_the_wall_stands_while_a_dump_is_made(tmp_path, transactional_db, owner_connection):
    """The dump waits in its midst for a table that somebody holds; meanwhile the wall is watched, and attacked."""
    mine, theirs = factories.packed(user=factories.make_customer()), factories.packed(user=factories.make_customer())
    held = owner_connection()
    watcher = owner_connection()
    watcher.autocommit = True
    with held.cursor() as holds, watcher.cursor() as sees:
        forced = forced_tables(sees)
        holds.execute("LOCK TABLE orders_stockmovement IN ACCESS EXCLUSIVE MODE")
        command = [sys.executable, "manage.py", "backup", "--only", "data", str(tmp_path)]
        with subprocess.Popen(command, env=slot_environment(), cwd=ROOT, stdout=subprocess.DEVNULL) as dumping:
            try:
                assert waits(sees), "the dump stands still"
                watch_wall()
                with entered(Login.CUSTOMER, mine.subject_id), unit_of_work():
                    seen = set(OrderAddress.objects.values_list("subject_id", flat=True))
                assert forced_tables(sees) == forced > 30
            finally:
                held.rollback()
        assert forced_tables(sees) == forced

    assert dumping.returncode == 0
    assert seen == {mine.subject_id} != {theirs.subject_id}
    assert not Alert.objects.exists()


def waits(cursor):
    """Whether pg_dump, by the worker's login, is waiting for a lock by now."""
    for _ in range(600):
        cursor.execute("SELECT usename FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'")
        if found := cursor.fetchall():
            return found == [("market_worker",)]
        time.sleep(0.1)
    return False


def test_a_login_that_does_not_see_every_row_makes_no_backup(tmp_path, transactional_db):
    made = manage("backup", "--only", "data", str(tmp_path), **slot_environment(MARKETPLACE_DB_ROLE="owner"))

    assert made.returncode == 1
    assert "does not see every row of accounts_accountdetails" in made.stderr
    assert not list(tmp_path.iterdir())


def test_a_policy_that_hides_rows_from_the_worker_stops_a_backup(tmp_path, transactional_db, owner_connection):
    with owner_connection() as superuser, superuser.cursor() as cursor:
        cursor.execute("CREATE POLICY hides ON orders_orderaddress AS RESTRICTIVE TO market_worker USING (country = 'FR')")

    made = manage("backup", "--only", "data", str(tmp_path), **slot_environment())

    assert "does not see every row of orders_orderaddress" in made.stderr


def test_a_log_in_its_keepers_hands_is_not_replaced(transactional_db, monkeypatch):
    monkeypatch.setattr(restoring, "other_sessions", lambda alias: 0)

    with pytest.raises(LogKept, match="--open-log"):
        restoring._require_room(DATA, replace=True)


def test_check_values_tell_keys_apart_and_give_nothing_away(settings):
    before = key_checks()
    settings.COMMITMENT_KEY = os.urandom(32)

    after = key_checks()

    assert {name for name in before if before[name] != after[name]} == {"COMMITMENT_KEY"}
    assert all(len(check) == 16 for check in after.values())


def test_the_ledger_outside_grows_by_what_is_new_and_mends_a_torn_line(transactional_db):
    user = factories.make_customer()
    erase(user)
    copy_ledger()
    known = list(read_ledger(ledger_path()))
    with ledger_path().open("a") as file:
        file.write('{"key": "torn')

    assert copy_ledger() == 0
    assert list(read_ledger(ledger_path())) == known
    assert {line["key"] for line in known} >= {str(key) for key in DestroyedKey.objects.values_list("pk", flat=True)}
