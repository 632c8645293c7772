"""A database restored on a machine that keeps nothing of its own: every place outside is asked before anything is signed."""

import shutil
from pathlib import Path

import pytest

from audit.actions import integrate_entries, verify_log
from audit.checkpoints import newest_outside
from audit.errors import LogRolledBack, PlaceSilent
from audit.models import Checkpoint, Entry, Verification
from audit.publishing import publish_newest
from tests.audit.test_publishing import bucket, forget, place, storage_server, witness

__all__ = ["bucket", "forget", "place", "storage_server", "witness"]

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.usefixtures("worker")]


@pytest.fixture
def forget_here(settings):
    """The database is whole and newest; only the directory beside it is gone."""
    return lambda: shutil.rmtree(Path(settings.STATE) / "log")


@pytest.fixture
def folder(tmp_path, settings):
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/copies"]
    return tmp_path / "copies"


def grow(write, *counts):
    for count in counts:
        write(count)
        integrate_entries()
    publish_newest()


def test_an_older_database_signs_nothing_at_all(write, place, forget):
    grow(write, 3, 5)
    forget()
    write(9)

    for _ in range(2):
        with pytest.raises(LogRolledBack, match="the log has 8 entries, here 3"):
            integrate_entries()

    assert Checkpoint.objects.latest("size").size == 3
    assert newest_outside() is None


def test_an_older_database_with_nothing_in_its_log_signs_nothing_at_all(write, place, forget, tamper):
    grow(write, 3, 5)
    forget()
    tamper("DELETE FROM audit_checkpoint; DELETE FROM audit_leaf; DELETE FROM audit_entry")
    write(9)

    with pytest.raises(LogRolledBack, match="the log has 8 entries, here 0"):
        integrate_entries()

    assert not Checkpoint.objects.exists()


def test_the_newest_database_goes_on_where_it_was(write, place, forget_here):
    grow(write, 3, 5)
    forget_here()
    write(2)

    assert integrate_entries() == 2

    assert newest_outside().size == 10
    publish_newest()
    assert place().size == 10
    assert verify_log().result == Verification.Result.OK


def test_a_new_log_begins_with_places_that_know_nothing_of_it(write, place):
    write(3)

    assert integrate_entries() == 3


def test_a_place_that_cannot_be_asked_holds_the_signing_until_it_can(write, folder, forget_here, tmp_path):
    grow(write, 3)
    forget_here()
    folder.rename(tmp_path / "away")
    folder.write_text("in the way")
    write(2)

    with pytest.raises(PlaceSilent, match="took a checkpoint of 3 entries and shows none"):
        integrate_entries()
    assert Checkpoint.objects.count() == 1
    folder.unlink()
    (tmp_path / "away").rename(folder)

    assert integrate_entries() == 2


def test_object_storage_that_does_not_answer_holds_the_signing(write, settings, monkeypatch):
    settings.AUDIT_PUBLISH = ["s3://checkpoints/shop/log"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    write(2)

    with pytest.raises(PlaceSilent, match=r"s3://checkpoints/shop/log cannot be asked"):
        integrate_entries()

    assert not Checkpoint.objects.exists()


def test_a_folder_that_is_not_there_any_more_holds_the_signing(write, folder, forget_here, settings, tmp_path):
    """As where the disk was not mounted: an empty place that took checkpoints is no answer. Who knows better takes it off."""
    grow(write, 3)
    forget_here()
    folder.rename(tmp_path / "away")
    write(2)

    with pytest.raises(PlaceSilent, match="took a checkpoint of 3 entries and shows none"):
        integrate_entries()

    settings.AUDIT_PUBLISH = []
    assert integrate_entries() == 2


def test_where_the_directory_stands_an_outage_outside_holds_nothing_up(write, folder, tmp_path):
    grow(write, 3)
    folder.rename(tmp_path / "away")
    folder.write_text("in the way")
    write(2)

    assert integrate_entries() == 2
    assert Entry.objects.count() == 5
