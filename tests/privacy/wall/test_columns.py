"""Plain ORM code by a login that may not read every column: it gets the others, and an error for what it asks by name."""

from uuid import uuid4

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.urls import reverse

from marketplace.accounts.actions import dismiss_staff
from marketplace.accounts.models import AccountToken, PendingMailbox, RecoveryCodes, SecondFactor, User
from marketplace.accounts.queries import staff_short_of_recovery_codes
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Role
from privacy.rights.attempts import confirm_password
from privacy.sharing.models import Recipient
from privacy.wall.context import entered
from privacy.wall.logins import Login
from tests.accounts.people import EMAIL, PASSWORD, client_of, codes_of, make_customer, make_staff, staff_client
from tests.api.people import KEY, Person
from tests.hashers import QuickArgon2Hasher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("PROTECT-2")]


@pytest.fixture
def user():
    return make_customer()


@pytest.mark.parametrize("login", [Login.STAFF, Login.AUDITOR])
def test_a_row_comes_without_its_secret(user, login):
    with entered(login):
        found = User.objects.get(pk=user.pk)

        assert found.get_deferred_fields() == {"password"}
        assert found.subject_id == user.subject_id
        with pytest.raises(ProgrammingError, match="permission denied"):
            found.password  # noqa: B018


def test_the_same_row_comes_whole_where_it_may(user, walled):
    with entered(Login.GATE):
        assert User.objects.get(pk=user.pk).check_password(PASSWORD)
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)
    with walled(user.subject_id):
        assert User.objects.get().get_deferred_fields() == {"password"}


def test_a_row_that_is_joined_comes_without_its_secret(user):
    with entered(Login.STAFF):
        assert SecondFactor.objects.select_related("user").first() is None
        found = User.objects.select_related("subject", "details").get(pk=user.pk)
        token = AccountToken.objects.select_related("user").first()

        assert found.get_deferred_fields() == {"password"}
        assert found.details.pk
        assert token.get_deferred_fields() == {"digest"}
        assert token.user.get_deferred_fields() == {"password"}


def test_a_row_read_without_its_secret_can_be_saved_read_anew_counted_and_deleted(user):
    with entered(Login.STAFF), transaction.atomic():
        found = User.objects.get(pk=user.pk)
        found.locale = "de"
        found.save()
        found.refresh_from_db()
        AccountToken.objects.filter(user=found).delete()

        assert (found.locale, User.objects.count()) == ("de", 1)
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


@pytest.mark.parametrize("ask", [lambda: User.objects.values_list("password"), lambda: User.objects.filter(password="").only("pk")])
def test_a_secret_asked_for_by_name_is_an_error(user, ask):
    with entered(Login.STAFF), pytest.raises(ProgrammingError, match="permission denied"):
        list(ask())


def test_a_partners_secret_is_read_where_its_messages_are_checked(user, walled):
    partner = Recipient.objects.create(
        slug="partner", name="Partner", kind=Recipient.Kind.CARRIER, country="DE", webhook_secret="Marker secret"
    )

    with entered(Login.STAFF):
        assert Recipient.objects.get().webhook_secret == "Marker secret"
    for place in (entered(Login.AUDITOR), entered(Login.GATE), walled(user.subject_id)):
        with place:
            assert Recipient.objects.get() == partner
            assert Recipient.objects.get().get_deferred_fields() == {"webhook_secret"}


def test_what_the_login_may_read_costs_no_further_query(user, django_assert_num_queries):
    with entered(Login.STAFF), django_assert_num_queries(1):
        (found,) = User.objects.select_related("details")
        assert found.details.email is not None
        assert found.role == Role.CUSTOMER


# What rests on it


def test_staff_count_recovery_codes_without_reading_them():
    staff = make_staff()
    codes_of(staff)

    with entered(Login.STAFF):
        codes = RecoveryCodes.objects.get(user=staff)
        assert codes.codes_left > 3
        assert codes.get_deferred_fields() == {"salt", "digests"}
        assert list(staff_short_of_recovery_codes()) == []
    RecoveryCodes.objects.update(digests=["one"])
    with entered(Login.STAFF):
        assert list(staff_short_of_recovery_codes()) == [staff]


def test_the_pages_of_accounts_work_by_the_login_of_staff(user):
    client = staff_client(make_staff(Role.ADMINISTRATOR))

    for address in (reverse("admin:accounts_user_changelist"), reverse("admin:accounts_user_change", args=[user.pk])):
        page = client.get(address)
        assert page.status_code == 200
        assert "argon2" not in page.content.decode()


def test_a_page_with_partners_works_by_the_login_of_auditors():
    partner = Recipient.objects.create(
        slug="partner", name="Partner", kind=Recipient.Kind.CARRIER, country="DE", webhook_secret="Marker secret"
    )
    client = staff_client(make_staff(Role.AUDITOR))

    for address in (reverse("admin:privacy_recipient_changelist"), reverse("admin:privacy_recipient_change", args=[partner.pk])):
        page = client.get(address).content.decode()
        assert "Partner" in page
        assert "Marker secret" not in page


def test_an_administrator_ends_an_account_without_a_right_to_its_password():
    administrator, leaver = make_staff(Role.ADMINISTRATOR), make_staff(Role.SUPPORT, email="leaves@example.org")

    with entered(Login.STAFF), unit_of_work():
        dismiss_staff(by=administrator.actor, user=leaver)

    leaver.refresh_from_db()
    assert not leaver.has_usable_password()
    assert leaver.closed_at is not None


def test_a_call_in_front_of_the_wall_is_remembered_too():
    """The mailbox stands with the account, where the gate's login works."""
    person, key = Person("Caller"), str(uuid4())
    change = {"email": "another@example.org", "password": PASSWORD}

    answers = [person.browser().call("POST", reverse("api:email"), change, **{KEY: key}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert PendingMailbox.objects.filter(user=person.user).count() == 1


# A password whose hash was cheaper than those of today


class FormerHasher(QuickArgon2Hasher):
    time_cost = 2


@pytest.fixture
def formerly(user):
    former = FormerHasher()
    User.objects.filter(pk=user.pk).update(password=former.encode(PASSWORD, former.salt()))
    return User.objects.get(pk=user.pk)


def is_renewed(user):
    return f"t={FormerHasher.time_cost}" not in User.objects.values_list("password", flat=True).get(pk=user.pk)


def test_signing_in_hashes_it_anew(formerly):
    client = client_of(formerly)

    assert client.get("/account/").status_code == 200
    assert is_renewed(formerly)
    assert User.objects.get(pk=formerly.pk).check_password(PASSWORD)


def test_a_wrong_one_does_not(formerly):
    Client().post("/sign-in/", {"email": EMAIL, "password": "another password than that"})

    assert not is_renewed(formerly)


def test_confirming_it_behind_the_wall_works_and_leaves_it_as_it_is(formerly, walled):
    with entered(Login.GATE):
        user = User.objects.get(pk=formerly.pk)

    with walled(user.subject_id):
        confirm_password(user, PASSWORD)

    assert not is_renewed(formerly)


def test_confirming_it_at_the_gate_leaves_it_as_it_is_too(formerly):
    """A new hash would end the session that it is confirmed in."""
    with entered(Login.GATE):
        confirm_password(formerly, PASSWORD)

    assert not is_renewed(formerly)
