"""Every cell of the matrix, against the gate itself."""

from itertools import product

import pytest

from audit.events import Event
from privacy.access import errors, gate
from privacy.access.gate import open_access, unit_of_work
from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.matrix import MATRIX, categories_open_to, purposes_open_to
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.vault.fields import sealed_fields
from privacy.vault.identifiers import uuid7
from tests.privacy.policy_matrix.records import Everything
from tests.privacy.vault.records import any_case, new_customer, person

A, P, D, F, I = Category  # noqa: E741

# Written out by hand, apart from the code: what each role opens for each purpose. Nothing else is open.
PUBLISHED = {
    (Role.SUPPORT, Purpose.ORDER): {A, P},
    (Role.SUPPORT, Purpose.SUPPORT): {A, P, D, I},
    (Role.SUPPORT, Purpose.IDENTITY): {A, I},
    (Role.SUPPORT, Purpose.RETURNS): {P, D},
    (Role.FULFILLMENT, Purpose.DISPATCH): {P, D},
    (Role.FULFILLMENT, Purpose.RETURNS): {P, D},
    (Role.FINANCE, Purpose.PAYMENT): {P, F},
    (Role.FINANCE, Purpose.RETURNS): {P, F},
    (Role.FINANCE, Purpose.LEGAL): {P, F},
    (Role.FRAUD, Purpose.FRAUD): {A, P, F, D},
    (Role.PRIVACY_OFFICER, Purpose.RIGHTS): {A, P, D, F, I},
    (Role.PRIVACY_OFFICER, Purpose.IDENTITY): {A, I},
    (Role.PRIVACY_OFFICER, Purpose.SECURITY): {I},
    (Role.SECURITY, Purpose.SECURITY): {A, I},
}
OF_PURPOSE = {
    Purpose.ACCOUNT: {A},
    Purpose.ORDER: {A, P},
    Purpose.PAYMENT: {F, P},
    Purpose.DISPATCH: {D, P},
    Purpose.RETURNS: {P, D, F},
    Purpose.SUPPORT: {I, A, P, D},
    Purpose.IDENTITY: {A, I},
    Purpose.FRAUD: {A, P, F, D},
    Purpose.IMPROVEMENT: {I},
    Purpose.RIGHTS: {A, P, D, F, I},
    Purpose.LEGAL: {P, F},
    Purpose.SECURITY: {A, I},
}


def expected(role, purpose):
    if role == Role.JOB or (role == Role.CUSTOMER and purpose != Purpose.LEGAL):
        return OF_PURPOSE[purpose]
    return PUBLISHED.get((role, purpose), set())


@pytest.fixture
def everything(policy, everything_table, monkeypatch):
    """A person's record with a value of each category; every person has asked for whatever rests on a request."""
    monkeypatch.setattr(gate, "_grounds", {purpose: [lambda subject_ids: set(subject_ids)] for purpose in Purpose})
    monkeypatch.setattr(gate, "_access_checks", [])
    with unit_of_work():
        subject = new_customer()
        with open_access(by=person(subject), purpose=Purpose.RIGHTS, subject=subject, writes=Event.DATA_COLLECTED):
            Everything.objects.create(subject=subject, **{category.value: f"the {category.value}" for category in Category})
    return Everything.objects.get()


@pytest.mark.promise("PROTECT-3")
@pytest.mark.promise("COLLECT-4")
def test_every_cell_opens_what_is_published_and_nothing_else(everything):
    opened = {}
    for role, purpose, category in product(Role, Purpose, Category):
        by = Actor(role, id=everything.subject_id if role == Role.CUSTOMER else uuid7())
        try:
            with (
                unit_of_work(),
                open_access(by=by, purpose=purpose, subject=everything.subject, reason="every cell", case=any_case()) as grant,
            ):
                opened[role, purpose, category] = grant.open(getattr(everything, category.value)) == f"the {category.value}"
        except (errors.RoleDenied, errors.CategoryDenied):
            opened[role, purpose, category] = False

    assert opened == {
        (role, purpose, category): category in expected(role, purpose) for role, purpose, category in product(Role, Purpose, Category)
    }


@pytest.mark.promise("USE-1")
def test_no_role_opens_more_than_the_purpose_needs():
    for role, purpose in product(Role, Purpose):
        assert MATRIX[role].get(purpose, frozenset()) <= PURPOSES[purpose].categories
        assert categories_open_to(role, purpose) == expected(role, purpose)


@pytest.mark.promise("PROTECT-3")
def test_a_cell_wider_than_its_purpose_is_cut_to_it(monkeypatch):
    monkeypatch.setitem(MATRIX[Role.FULFILLMENT], Purpose.DISPATCH, frozenset(Category))

    assert categories_open_to(Role.FULFILLMENT, Purpose.DISPATCH) == {D, P}


@pytest.mark.promise("PROTECT-3")
def test_running_the_system_needs_no_personal_value():
    assert purposes_open_to(Role.ADMINISTRATOR) == []
    assert purposes_open_to(Role.AUDITOR) == []


def test_every_role_has_a_row():
    assert set(MATRIX) == set(Role)
    assert {Role.CUSTOMER, Role.SELLER, Role.JOB}.isdisjoint(STAFF_ROLES)


def test_the_record_of_these_tests_holds_every_category():
    assert {field.category for field in sealed_fields(Everything)} == set(Category)
