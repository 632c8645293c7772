import pytest
from django.test import Client

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.actions import enroll_second_factor, enrollment_of, hand_over_second_factor, verify_second_factor
from marketplace.accounts.codes import current_code
from marketplace.accounts.errors import AlreadyEnrolled
from marketplace.accounts.models import AccountSession, SecondFactor
from privacy.access.gate import unit_of_work
from privacy.policy.roles import Role
from tests.accounts.people import (
    PASSWORD,
    TEST,
    UNWRITABLE,
    client_of,
    entries,
    fresh_code,
    make_customer,
    make_staff,
    secret_of,
    staff_client,
)

pytestmark = pytest.mark.django_db

STAFF = "staff@example.org"


def verify(user, code, by=TEST):
    with unit_of_work():
        return verify_second_factor(by=by, user=user, code=code)


def test_enroll_second_factor_gives_the_same_secret_until_it_is_confirmed():
    user = make_staff(enrolled=False)

    with unit_of_work():
        first = enrollment_of(by=user.actor, user=user)
        second = enrollment_of(by=user.actor, user=user)

    assert first == second
    assert first[1].startswith("otpauth://totp/")
    assert STAFF not in first[1]


def test_enroll_second_factor_is_refused_once_in_force():
    user = make_staff()

    with pytest.raises(AlreadyEnrolled), unit_of_work():
        enroll_second_factor(by=user.actor, user=user)


def test_hand_over_second_factor_is_in_force_at_once_with_one_event():
    user = make_staff(enrolled=False)

    with unit_of_work():
        uri = hand_over_second_factor(by=TEST, user=user)

    assert secret_of(user) in uri
    assert SecondFactor.objects.get(user=user).confirmed_at is not None
    assert entries(Event.SECOND_FACTOR_ENROLLED, subject_id=user.subject_id) == 1
    with pytest.raises(AlreadyEnrolled), unit_of_work():
        hand_over_second_factor(by=TEST, user=user)


def test_verify_second_factor_confirms_the_enrollment_with_one_event():
    user = make_staff()

    assert SecondFactor.objects.get(user=user).confirmed_at is not None
    assert entries(Event.SECOND_FACTOR_ENROLLED, subject_id=user.subject_id) == 1


def test_verify_second_factor_takes_a_code_once():
    user = make_staff()
    code = fresh_code(user)

    assert verify(user, code) is True
    assert verify(user, code) is False
    assert entries(Event.SECOND_FACTOR_PASSED, subject_id=user.subject_id) == 1
    assert entries(Event.SECOND_FACTOR_REFUSED, subject_id=user.subject_id) == 1


def test_verify_second_factor_is_false_without_one():
    assert verify(make_staff(enrolled=False), "123456") is False


def test_verify_second_factor_changes_nothing_if_the_event_cannot_be_written():
    user = make_staff()
    code = fresh_code(user)

    with pytest.raises(NotRecordable):
        verify(user, code, by=UNWRITABLE)

    assert SecondFactor.objects.get(user=user).last_used_step is None


@pytest.mark.promise("PROTECT-1")
def test_second_factor_secret_is_sealed_in_the_table(owner_connection):
    factor = SecondFactor.objects.get(user=make_staff())

    assert secret_of(factor.user).encode() not in bytes(factor.secret.token)


def test_second_factor_page_enrolls_with_picture_and_key():
    user = make_staff(enrolled=False)
    client = client_of(user, STAFF)

    page = client.get("/second-factor/").content.decode()
    picture = client.get("/second-factor/code.svg")

    secret = secret_of(user)
    assert secret in page.replace(" ", "")
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert "no-store" in picture.headers["Cache-Control"]
    assert client.post("/second-factor/", {"code": current_code(secret)}).headers["Location"] == "/admin/"


def test_second_factor_page_shows_no_secret_once_in_force():
    user = make_staff()
    client = client_of(user, STAFF)

    assert secret_of(user) not in client.get("/second-factor/").content.decode().replace(" ", "")
    assert client.get("/second-factor/code.svg").status_code == 404


def test_second_factor_page_leads_on_to_the_page_that_was_asked_for():
    user = make_staff()
    client = Client()
    client.post("/sign-in/", {"email": STAFF, "password": PASSWORD, "next": "/admin/accounts/user/"})

    assert client.post("/second-factor/", {"code": fresh_code(user)}).headers["Location"] == "/admin/accounts/user/"


def test_second_factor_page_changes_the_session_key():
    user = make_staff()
    client = client_of(user, STAFF)
    before = client.cookies["session"].value

    client.post("/second-factor/", {"code": fresh_code(user)})

    assert client.cookies["session"].value != before
    assert AccountSession.objects.filter(user=user).count() == 1


def test_second_factor_page_locks_out_after_five_wrong_codes():
    user = make_staff()
    client = client_of(user, STAFF)

    statuses = [client.post("/second-factor/", {"code": "000000"}).status_code for _ in range(5)]
    locked = client.post("/second-factor/", {"code": fresh_code(user)})

    assert statuses == [422, 422, 422, 422, 429]
    assert locked.status_code == 429
    assert client.get("/admin/").headers["Location"] == "/second-factor/"


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("address", ["/admin/", "/admin/accounts/user/", "/admin/login/", "/account/", "/sign-up/"])
def test_staff_without_the_second_factor_get_nowhere_else(address):
    client = client_of(make_staff(), STAFF)

    assert client.get(address).headers["Location"] == "/second-factor/"


@pytest.mark.promise("PROTECT-3")
def test_actor_of_half_signed_in_staff_is_nobody():
    client = client_of(make_staff(Role.PRIVACY_OFFICER), STAFF)

    page = client.get("/second-factor/")

    assert page.wsgi_request.actor.id is None
    assert page.wsgi_request.actor.is_staff is False


def test_second_factor_page_is_not_for_customers():
    assert client_of(make_customer()).get("/second-factor/").headers["Location"] == "/account/"


def test_second_factor_page_is_for_the_signed_in():
    assert Client().get("/second-factor/").headers["Location"].startswith("/sign-in/")


def test_second_factor_flag_runs_out_after_twelve_hours():
    from datetime import timedelta

    import time_machine
    from django.utils import timezone

    client = staff_client(make_staff())
    assert client.get("/admin/").status_code == 200

    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        assert client.get("/admin/").headers["Location"] == "/second-factor/"
