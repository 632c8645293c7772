from types import SimpleNamespace

import pytest
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.actions import integrate_entries, verify_log
from audit.admin import READERS, BoundedPaginator, CheckpointAdmin, VerificationAdmin
from audit.identifiers import uuid7
from audit.models import Checkpoint, Entry, Verification

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.promise("PROTECT-3")]

ADMINS = [
    CheckpointAdmin(Checkpoint, AdminSite()),
    VerificationAdmin(Verification, AdminSite()),
]
OTHERS = ["customer", "seller", "support", "fulfillment", "finance", "fraud", "job", "", None]


@pytest.fixture
def as_role(rf):
    def request_of(role, path="/"):
        request = rf.get(path)
        request.user = SimpleNamespace(role=role, is_active=True, is_staff=True)
        return request

    return request_of


def listed(model_admin, request):
    return list(model_admin.get_changelist_instance(request).result_list)


@pytest.mark.parametrize("model_admin", ADMINS)
def test_readers_read_and_nobody_changes(as_role, model_admin):
    for role in READERS:
        request = as_role(role)
        assert model_admin.has_view_permission(request)
        assert model_admin.has_module_permission(request)
        assert not model_admin.has_add_permission(request)
        assert not model_admin.has_change_permission(request)
        assert not model_admin.has_delete_permission(request)
        assert not model_admin.get_actions(request)


@pytest.mark.parametrize("model_admin", ADMINS)
def test_other_roles_do_not_read(as_role, model_admin):
    for role in OTHERS:
        assert not model_admin.has_view_permission(as_role(role))
        assert not model_admin.has_module_permission(as_role(role))


@pytest.mark.parametrize("model_admin", ADMINS)
def test_history_of_the_admin_is_refused(as_role, model_admin):
    with pytest.raises(PermissionDenied):
        model_admin.history_view(as_role("auditor"), str(uuid7()))


@pytest.mark.usefixtures("worker")
def test_lists_ask_a_constant_number_of_queries(as_role, write):
    counts = []
    for count in (1, 30):
        write(count, uuid7())
        integrate_entries()
        verify_log()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            for model_admin in ADMINS:
                listed(model_admin, as_role("auditor"))
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 6


@pytest.mark.usefixtures("worker")
def test_columns_are_shown(write):
    write(1, uuid7())
    integrate_entries()
    checkpoint = Checkpoint.objects.get()

    assert ADMINS[0].root_hash(checkpoint) == bytes(checkpoint.root).hex()


@pytest.mark.usefixtures("worker")
def test_paginator_stops_counting_at_its_bound(write, monkeypatch):
    monkeypatch.setattr(BoundedPaginator, "bound", 3)
    write(5)

    assert BoundedPaginator(Entry.objects.order_by("id"), 2).count == 3
