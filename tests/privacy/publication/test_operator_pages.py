"""The staff's form for who runs the shop."""

import pytest
from django.urls import reverse

from privacy.policy.actions import change_operator
from privacy.policy.operator import operator
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from tests.accounts.people import make_staff, staff_client

pytestmark = pytest.mark.django_db

LIST = "/admin/privacy/operatoridentity/"
FORM = f"{LIST}add/"
EDITORS = {Role.ADMINISTRATOR, Role.PRIVACY_OFFICER}
FILLED = {"based_on": "0", "name": "Example Shop Ltd", "country": "DE", "terms_de": "Worte", "_save": "1"}


def client_of(role):
    return staff_client(make_staff(role, f"{role}@example.org"), f"{role}@example.org")


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_all_staff_see_the_changes_and_two_roles_the_form(role):
    client = client_of(role)

    assert client.get(LIST).status_code == 200
    assert client.get(FORM).status_code == (200 if role in EDITORS else 403)
    assert client.post(FORM, FILLED).status_code == (302 if role in EDITORS else 403)


def test_the_form_publishes_what_was_entered():
    client = client_of(Role.PRIVACY_OFFICER)

    response = client.post(FORM, FILLED, follow=True)

    assert "Published." in response.content.decode()
    assert (operator().name, operator().country, operator().terms) == ("Example Shop Ltd", "DE", {"de": "Worte"})


@pytest.mark.parametrize(("field", "value"), [("email", "nobody"), ("authority_url", "ftp//x"), ("country", "Atlantis")])
def test_the_form_names_the_field_that_is_wrong_and_loses_nothing(field, value):
    client = client_of(Role.ADMINISTRATOR)

    response = client.post(FORM, {**FILLED, field: value, "phone": "+49 30 23125 000"})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert 'value="+49 30 23125 000"' in response.content.decode()
    assert operator().number == 0


def test_the_form_refuses_fields_that_it_did_not_ask_for():
    assert client_of(Role.ADMINISTRATOR).post(FORM, {**FILLED, "number": "9"}).status_code == 422


def test_a_stale_form_overwrites_nothing_and_keeps_what_was_typed():
    client = client_of(Role.ADMINISTRATOR)
    change_operator(by=Actor.job("test"), based_on=0, values={"name": "Meanwhile Ltd"})

    response = client.post(FORM, FILLED)

    assert response.status_code == 422
    assert "Somebody else changed this" in response.content.decode()
    assert 'value="Example Shop Ltd"' in response.content.decode()
    assert operator().name == "Meanwhile Ltd"


def test_an_earlier_identity_can_be_read_and_not_changed():
    change_operator(by=Actor.job("test"), based_on=0, values={"name": "First Ltd"})
    client = client_of(Role.ADMINISTRATOR)
    page = reverse("admin:privacy_operatoridentity_change", args=[operator().pk])

    assert "First Ltd" in client.get(page).content.decode()
    assert client.post(page, FILLED).status_code == 403
