"""Exports by staff: off by default, decided by two, sealed, watermarked, logged, gone after a day."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from marketplace.accounts.models import User
from privacy.access.approvals.actions import propose
from privacy.access.approvals.errors import PlanImpossible, RoleMayNot
from privacy.access.approvals.models import Proposal
from privacy.access.errors import CaseMissing
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.actions import withdraw_consent
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Actor, Role
from privacy.rights.copies import exports
from privacy.rights.erasure import room_steps
from privacy.rights.uses import lines_of, uses_by_others
from privacy.staff_exports import actions
from privacy.staff_exports.actions import download_export, expire_exports
from privacy.staff_exports.errors import ExportGone, ExportNotReady, ExportsOff, NotYourExport
from privacy.staff_exports.models import StaffExport
from privacy.staff_exports.registrations import STAFF_EXPORT
from privacy.vault.files import sealed_files_of
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from tests.accounts.people import entries
from tests.privacy.access.test_approvals import approve
from tests.privacy.rights.people import perform

pytestmark = [pytest.mark.django_db, pytest.mark.promise("COLLECT-5"), pytest.mark.promise("PROTECT-3")]


def ask(by, orders, **changes):
    asked = {
        "cases": "orders.order", "ids": sorted(str(order.pk) for order in orders), "purpose": "order",
        "categories": ["account", "purchase"], "role": by.role,
    } | changes  # fmt: skip
    with unit_of_work():
        return propose(by=by.actor, kind=STAFF_EXPORT, parameters=asked, why="the carrier lost a van", id=uuid7())


def started(asker, officer, orders, **changes):
    """Approved and begun; the file is not made yet."""
    proposal = ask(asker, orders, **changes)
    perform(approve(officer.actor, proposal))
    return StaffExport.objects.get(proposal=proposal)


def made(asker, officer, orders, **changes):
    return perform(started(asker, officer, orders, **changes))


def download(by, export):
    with unit_of_work():
        chunks, size = download_export(by=by.actor, export=export)
        data = b"".join(chunks)
    assert len(data) == size
    return data.decode()


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_an_export_holds_the_chosen_kinds_of_the_chosen_people(asker, officer, orders):
    export = made(asker, officer, orders)
    rows = rows_of(download(asker, export))

    assert {row["person"] for row in rows} == {str(order.subject_id) for order in orders}
    assert {row["category"] for row in rows} <= {"account", "purchase"}
    assert "Marker Name" in {row["value"] for row in rows}
    assert (export.state, export.rows, export.left_out) == ("done", len(rows), 0)


def test_every_row_says_who_asked_and_who_approved(asker, officer, orders):
    export = made(asker, officer, orders)

    for row in rows_of(download(asker, export)):
        assert (row["export"], row["asked_by"], row["approved_by"]) == (str(export.pk), str(asker.subject_id), str(officer.subject_id))
        assert row["made_at"]


@pytest.mark.promise("PROTECT-1")
def test_the_file_is_sealed_and_its_name_says_nothing(asker, officer, orders):
    export = made(asker, officer, orders)

    with exports().open(export.file, "rb") as file:
        assert b"Marker" not in file.read()
    assert "arker" not in export.file


@pytest.mark.promise("USE-3")
def test_each_person_reads_it_among_the_uses_of_their_data(asker, officer, orders):
    export = made(asker, officer, orders)
    download(asker, export)
    subject_id = orders[0].subject_id

    with unit_of_work():
        own = Actor(Role.CUSTOMER, id=subject_id)
        with open_access(by=own, purpose=Purpose.RIGHTS, subject=subject_id) as grant:
            lines = lines_of(subject_id, uses_by_others(subject_id), grant)

    deeds = [line.use.did for line in lines]
    assert "took it out in an export that two of our staff decided" in deeds
    assert "downloaded that export" in deeds
    about = [line for line in lines if line.case and line.case.words == "an export that two of our staff decided"]
    assert any(line.reason == "the carrier lost a van" for line in about)


def test_every_person_is_logged_when_it_is_made_and_at_each_download(asker, officer, orders):
    export = made(asker, officer, orders)
    download(asker, export)
    download(asker, export)

    assert entries("privacy.data.extracted", object_id=export.pk) == 2
    assert entries("privacy.extract.downloaded", object_id=export.pk) == 4
    opened = Entry.objects.filter(event="privacy.data.opened", case_id=export.pk, purpose="order")
    assert {entry.subject_id for entry in opened} == {order.subject_id for order in orders}
    export.refresh_from_db()
    assert export.downloads == 2


def test_who_has_withdrawn_is_left_out(asker, officer, orders):
    export = started(asker, officer, orders)
    gone = User.objects.get(subject_id=orders[0].subject_id)
    with unit_of_work():
        withdraw_consent(by=gone.actor, subject=gone.subject, purpose=Purpose.ORDER)

    rows = rows_of(download(asker, perform(export)))

    export.refresh_from_db()
    assert (export.left_out, export.subject_ids) == (1, [orders[1].subject_id])
    assert {row["person"] for row in rows} == {str(orders[1].subject_id)}
    assert not Entry.objects.filter(event="privacy.data.extracted", subject_id=gone.subject_id).exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"categories": ["financial"]},
        {"categories": []},
        {"purpose": "payment"},
        {"ids": []},
        {"role": "administrator"},
    ],
)
def test_what_the_role_may_not_open_is_not_exported(asker, officer, orders, changes):
    with pytest.raises(PlanImpossible):
        ask(asker, orders, **changes)


def test_a_role_that_lost_its_right_since_gets_no_file(asker, officer, orders):
    export = started(asker, officer, orders)
    other = Proposal.objects.get(pk=export.proposal_id)
    other.pk, other.parameters = uuid7(), other.parameters | {"categories": ["financial"]}
    other.save(force_insert=True)
    StaffExport.objects.filter(pk=export.pk).update(proposal=other)

    assert perform(StaffExport.objects.get(pk=export.pk)).error == "RoleDenied"


def test_an_export_is_bounded_in_people(asker, officer, orders, settings):
    settings.STAFF_EXPORT_PEOPLE = 1

    with pytest.raises(PlanImpossible):
        ask(asker, orders)


def test_an_export_is_bounded_in_rows(asker, officer, orders, monkeypatch):
    monkeypatch.setattr(actions, "MOST_ROWS", 1)
    export = started(asker, officer, orders)

    for _ in range(StaffExport.MAX_ATTEMPTS):
        perform(export)

    assert (export.state, export.error, export.file) == ("failed", "TooMuch", "")


def test_exports_are_off_unless_turned_on(asker, officer, orders, settings):
    export = started(asker, officer, orders)
    finished = made(asker, officer, orders)
    settings.STAFF_EXPORTS = False

    with pytest.raises(RoleMayNot):
        ask(asker, orders)
    with pytest.raises(ExportsOff):
        download(asker, finished)
    assert perform(export).error == "ExportsOff"


def test_one_person_alone_gets_no_export(asker, orders):
    ask(asker, orders)

    assert not StaffExport.objects.exists()


def test_a_made_export_opens_nothing_more(asker, officer, orders):
    """The approval was for one file, not for a look whenever one likes."""
    export = made(asker, officer, orders)

    how = {"purpose": Purpose.ORDER, "subject": orders[0].subject_id, "reason": "again", "case": export}
    with pytest.raises(CaseMissing), unit_of_work(), open_access(by=asker.actor, **how):
        pass


def test_only_whoever_asked_downloads_it_in_the_role_they_had(asker, officer, orders):
    export = made(asker, officer, orders)

    for actor in (officer.actor, Actor(Role.PRIVACY_OFFICER, id=asker.subject_id), Actor(Role.SUPPORT, id=uuid7())):
        with pytest.raises(NotYourExport), unit_of_work():
            download_export(by=actor, export=export)
    User.objects.filter(pk=asker.pk).update(is_active=False)
    with pytest.raises(NotYourExport), unit_of_work():
        download_export(by=asker.actor, export=export)
    assert entries("privacy.extract.downloaded") == 0


def test_it_is_not_handed_out_before_it_is_ready(asker, officer, orders):
    with pytest.raises(ExportNotReady):
        download(asker, started(asker, officer, orders))


def test_after_a_day_it_is_gone(asker, officer, orders):
    export = made(asker, officer, orders)
    assert timedelta(hours=23) < export.expires_at - timezone.now() <= timedelta(hours=24)
    assert expire_exports() == 0
    StaffExport.objects.update(expires_at=timezone.now())

    with pytest.raises(ExportGone):
        download(asker, export)
    name = export.file
    assert (expire_exports(), expire_exports()) == (1, 0)
    assert not exports().exists(name)
    assert entries("privacy.extract.expired", object_id=export.pk) == 1


@pytest.mark.promise("RIGHTS-3")
def test_an_erasure_deletes_the_file_with_the_person_in_it(asker, officer, orders):
    export, other = made(asker, officer, orders), made(asker, officer, orders[1:])

    room_steps()["staff exports"](Subject.objects.get(pk=orders[0].subject_id))

    assert not exports().exists(export.file)
    export.refresh_from_db()
    other.refresh_from_db()
    assert (export.file, bool(other.file)) == ("", True)


def test_it_is_among_the_files_that_a_new_key_reaches(asker, officer, orders):
    export = made(asker, officer, orders)
    started(asker, officer, orders)

    assert [file.name for file in sealed_files_of(asker.subject_id)] == [export.file]


def test_a_killed_attempt_leaves_no_file_that_nobody_knows(asker, officer, orders):
    export = started(asker, officer, orders)
    actions._begin(export)
    first = export.file

    perform(export)

    assert export.file != first
    assert not exports().exists(first)
    assert rows_of(download(asker, export))
