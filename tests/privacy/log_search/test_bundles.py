"""A bundle of entries goes out by two people alone, sealed, watermarked, for a day; everybody in it reads that it was made."""

import io
import json
import zipfile

import pytest
from django.utils import timezone

from audit.actions import integrate_entries
from audit.events import Event
from audit.models import Entry
from privacy.access.approvals.actions import propose
from privacy.access.approvals.errors import PlanImpossible, RoleMayNot
from privacy.access.gate import unit_of_work
from privacy.log_search import bundles
from privacy.log_search.bundles import LOG_BUNDLE, BundleForm
from privacy.policy.roles import Role
from privacy.rights.copies import exports
from privacy.rights.uses import uses_of
from privacy.staff_exports.actions import download_export, expire_exports
from privacy.staff_exports.errors import ExportGone, NotYourExport
from privacy.staff_exports.models import StaffExport
from privacy.vault.identifiers import uuid7
from tests.accounts.people import entries, make_staff
from tests.orders.factories import make_customer, packed
from tests.privacy.access.silences.test_silences import look
from tests.privacy.access.test_approvals import approve
from tests.privacy.rights.people import perform

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("USE-3"), pytest.mark.promise("COLLECT-5")]


def asked(officer, user, **changes):
    given = {"person": str(user.subject_id), "role": "support", "use": "legal", "why": "the authority asks", "proposal": str(uuid7())}
    form = BundleForm(officer.actor, given | changes)
    assert form.is_valid(), form.errors
    return form.parameters()


def ask(by, user, **changes):
    with unit_of_work():
        return propose(by=by.actor, kind=LOG_BUNDLE, parameters=asked(by, user, **changes), why="the authority asks", id=uuid7())


def made(officer, second, user, **changes):
    proposal = ask(officer, user, **changes)
    perform(approve(second.actor, proposal))
    integrate_entries()
    return perform(StaffExport.objects.get(proposal=proposal))


def files_of(by, export):
    with unit_of_work():
        chunks, size = download_export(by=by.actor, export=export)
        data = b"".join(chunks)
    assert len(data) == size
    archive = zipfile.ZipFile(io.BytesIO(data))
    return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_bundle_holds_entries_proofs_verifier_and_watermark(officer, second, buyer, agent):
    entry = look(buyer, agent)
    export = made(officer, second, buyer, event=Event.DATA_OPENED)
    files = files_of(officer, export)

    opened = [json.loads(text) for name, text in files.items() if name.endswith(".json")]
    assert [one["content"]["id"] for one in opened] == [str(entry.pk)]
    assert {"checkpoint", "keys.txt", "verify_log.py", "README.txt"} <= set(files)
    assert str(officer.subject_id) in files["EXPORT.txt"]
    assert str(second.subject_id) in files["EXPORT.txt"]
    assert (export.rows, export.subject_ids) == (1, [buyer.subject_id])
    assert entries(Event.EXTRACT_DOWNLOADED, subject_id=buyer.subject_id, actor_id=officer.subject_id) == 1


def test_everybody_in_it_reads_that_it_was_made_and_why(officer, second, buyer, agent):
    look(buyer, agent)
    made(officer, second, buyer)

    assert entries(Event.DATA_EXTRACTED, subject_id=buyer.subject_id) == 1
    assert Event.DATA_EXTRACTED in {entry.event for entry in uses_of(buyer.subject_id)}


def test_the_file_rests_sealed_and_goes_after_a_day(officer, second, buyer, agent):
    look(buyer, agent)
    export = made(officer, second, buyer)
    with exports().open(export.file, "rb") as file:
        assert b"PK" not in file.read(64)

    assert expire_exports(now=export.expires_at) == 1
    with pytest.raises(ExportGone):
        files_of(officer, export)


def test_only_whoever_asked_downloads_it(officer, second, buyer, agent):
    look(buyer, agent)
    export = made(officer, second, buyer)

    with pytest.raises(NotYourExport):
        files_of(second, export)


def test_nothing_is_made_before_somebody_else_approves(officer, buyer, agent):
    look(buyer, agent)

    proposal = ask(officer, buyer)

    assert not StaffExport.objects.filter(proposal=proposal).exists()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUPPORT, Role.ADMINISTRATOR])
def test_other_roles_do_not_ask(buyer, agent, officer, role):
    look(buyer, agent)
    other = make_staff(role, "other@example.org", enrolled=False)

    with unit_of_work(), pytest.raises(RoleMayNot):
        propose(by=other.actor, kind=LOG_BUNDLE, parameters=asked(officer, buyer), why="no", id=uuid7())


def test_what_comes_in_later_is_not_in_it(officer, second, buyer, agent):
    first = look(buyer, agent)
    proposal = ask(officer, buyer, event=Event.DATA_OPENED)
    look(buyer, agent)

    assert list(bundles.entries_of(proposal.parameters)) == [first]


def test_its_bounds_hold(officer, buyer, agent, monkeypatch, settings):
    other = make_customer()
    packed(user=other)
    look(buyer, agent)
    look(buyer, agent)
    look(other, agent)
    given = {"role": "support", "event": "privacy.data.opened", "use": "legal", "why": "the authority asks", "proposal": str(uuid7())}
    assert BundleForm(officer.actor, given).is_valid()
    assert list(BundleForm(officer.actor, given | {"event": ""}).errors) == ["since"], "it would read the whole log"
    assert BundleForm(officer.actor, given | {"event": "", "since": f"{timezone.now():%Y-%m-%d}"}).is_valid()

    settings.STAFF_EXPORT_PEOPLE = 1
    assert not BundleForm(officer.actor, given).is_valid()
    settings.STAFF_EXPORT_PEOPLE = 100
    monkeypatch.setattr(bundles, "ENTRIES_AT_MOST", 2)
    assert not BundleForm(officer.actor, given).is_valid()
    assert not BundleForm(officer.actor, given | {"role": "fraud"}).is_valid()


@pytest.mark.parametrize("bound", ["entries", "people"])
def test_what_has_outgrown_its_bounds_since_is_not_made(officer, second, buyer, agent, monkeypatch, settings, bound):
    look(buyer, agent)
    look(buyer, agent)
    proposal = ask(officer, buyer, event=Event.DATA_OPENED)
    perform(approve(second.actor, proposal))
    export = StaffExport.objects.get(proposal=proposal)
    if bound == "entries":
        monkeypatch.setattr(bundles, "ENTRIES_AT_MOST", 1)
    else:
        settings.STAFF_EXPORT_PEOPLE = 0

    for _ in range(StaffExport.MAX_ATTEMPTS):
        perform(export)

    assert (export.state, export.error, export.file) == ("failed", "TooMuch", "")
    assert entries(Event.DATA_EXTRACTED, subject_id=buyer.subject_id) == 0


def test_a_use_that_needs_no_bundle_is_refused(officer, buyer, agent):
    look(buyer, agent)
    parameters = asked(officer, buyer) | {"purpose": "improvement"}

    with unit_of_work(), pytest.raises(PlanImpossible):
        propose(by=officer.actor, kind=LOG_BUNDLE, parameters=parameters, why="no", id=uuid7())


def test_the_bundle_passes_its_own_verifier(officer, second, buyer, agent, tmp_path):
    import subprocess
    import sys

    look(buyer, agent)
    files = files_of(officer, made(officer, second, buyer))
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    done = subprocess.run([sys.executable, "verify_log.py", "bundle", "."], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert Entry.objects.filter(event=Event.DATA_EXTRACTED).exists()
