from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.actions import (
    confirm_second_factor,
    enroll_second_factor,
    enrollment_of,
    forget_unfinished_factors,
    hand_over_second_factor,
    open_enrollment,
    remove_second_factor,
    reset_password,
    reset_second_factor,
    send_enrollment_link,
    verify_second_factor,
)
from marketplace.accounts.codes import current_code
from marketplace.accounts.errors import AlreadyEnrolled, NoSecondFactor, NotAllowed, TokenInvalid
from marketplace.accounts.models import AccountSession, AccountToken, RecoveryCodes, SecondFactor
from marketplace.accounts.tokens import issue_token
from privacy.access.gate import unit_of_work
from privacy.policy.roles import ANONYMOUS, Actor, Role
from privacy.rights.errors import WrongPassword
from tests.accounts.people import (
    EMAIL,
    PASSWORD,
    TEST,
    UNWRITABLE,
    client_of,
    codes_of,
    deliver_all,
    entries,
    fresh_code,
    link_in,
    make_customer,
    make_protected,
    make_staff,
    protected_client,
    secret_of,
    staff_client,
)

pytestmark = pytest.mark.django_db

STAFF = "staff@example.org"
BOSS = "boss@example.org"
SET_UP = "/account/security/second-step/"
OFF = "/account/security/second-step/off/"
WRONG = "000000"


def verify(user, code, by=TEST):
    with unit_of_work():
        return verify_second_factor(by=by, user=user, code=code)


def confirm(user, code=None, by=None):
    with unit_of_work():
        secret, _uri = enrollment_of(by=user.actor, user=user)
        return confirm_second_factor(by=by or user.actor, user=user, code=code or current_code(secret))


def reset(user, by=None):
    with unit_of_work():
        reset_second_factor(by=by or make_staff(Role.ADMINISTRATOR, BOSS).actor, user=user)


def unwritable(user):
    return Actor(Role(user.role), id=user.subject_id, name="no token at all")


# The secret and its first code


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


def test_confirm_second_factor_puts_it_in_force_ends_sessions_and_tells_by_mail():
    user = make_customer()
    client = client_of(user)
    deliver_all()

    assert confirm(user)

    assert SecondFactor.objects.get(user=user).confirmed_at is not None
    assert entries(Event.SECOND_FACTOR_ENROLLED, subject_id=user.subject_id) == 1
    assert client.get("/account/").status_code == 302
    [message] = deliver_all()
    assert message.subject == "The second step is on"


def test_confirm_second_factor_refuses_a_wrong_code_and_a_second_time():
    user = make_customer()

    assert confirm(user, WRONG) is False
    assert SecondFactor.objects.get(user=user).confirmed_at is None
    assert confirm(user)
    with pytest.raises(AlreadyEnrolled):
        confirm(user, WRONG)


def test_confirm_second_factor_changes_nothing_if_the_event_cannot_be_written():
    user = make_customer()

    with pytest.raises(NotRecordable):
        confirm(user, by=unwritable(user))

    assert not SecondFactor.objects.exclude(confirmed_at=None).exists()


def test_forget_unfinished_factors_takes_those_whose_first_code_never_came():
    user, kept = make_customer(), make_protected("kept@example.org")
    with unit_of_work():
        enrollment_of(by=user.actor, user=user)

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert forget_unfinished_factors() == 1

    assert [factor.user for factor in SecondFactor.objects.all()] == [kept]


@pytest.mark.promise("PROTECT-1")
def test_second_factor_secret_is_sealed_in_the_table():
    factor = SecondFactor.objects.get(user=make_staff())

    assert secret_of(factor.user).encode() not in bytes(factor.secret.token)


# Codes


def test_verify_second_factor_takes_a_code_once():
    user = make_staff()
    code = fresh_code(user)

    assert verify(user, code) is True
    assert verify(user, code) is False
    assert entries(Event.SECOND_FACTOR_PASSED, subject_id=user.subject_id) == 1
    assert entries(Event.SECOND_FACTOR_REFUSED, subject_id=user.subject_id) == 1


def test_verify_second_factor_is_false_without_one():
    assert verify(make_staff(enrolled=False), "123456") is False


def test_verify_second_factor_is_false_for_one_that_is_not_in_force():
    user = make_customer()
    with unit_of_work():
        secret, _uri = enrollment_of(by=user.actor, user=user)

    assert verify(user, current_code(secret)) is False


def test_verify_second_factor_changes_nothing_if_the_event_cannot_be_written():
    user = make_staff()
    code = fresh_code(user)

    with pytest.raises(NotRecordable):
        verify(user, code, by=UNWRITABLE)

    assert SecondFactor.objects.get(user=user).last_used_step is None


# At the sign-in


def test_sign_in_of_a_customer_without_one_stays_as_it_was():
    assert client_of(make_customer()).get("/account/").status_code == 200


def test_sign_in_of_a_customer_with_one_takes_the_code():
    user = make_protected()
    client = Client()

    asked = client.post("/sign-in/", {"email": EMAIL, "password": PASSWORD, "next": "/account/details/"})
    assert asked.headers["Location"] == "/second-factor/"
    passed = client.post("/second-factor/", {"code": fresh_code(user)})

    assert passed.headers["Location"] == "/account/details/"
    assert passed.cookies["language"].value == user.locale
    assert client.get("/account/").status_code == 200


@pytest.mark.parametrize("typed", ["{0}{1}", " {0} {1} ", "{0}-{1}"])
def test_second_factor_page_takes_the_code_however_it_is_grouped(typed):
    user = make_protected()
    code = fresh_code(user)

    assert client_of(user).post("/second-factor/", {"code": typed.format(code[:3], code[3:])}).status_code == 302


def test_second_factor_page_takes_digits_of_any_script():
    user = make_protected()
    code = fresh_code(user).translate({ord(str(digit)): 0x660 + digit for digit in range(10)})

    assert client_of(user).post("/second-factor/", {"code": code}).status_code == 302


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345x", "²²²²²²", "1" * 17])
def test_second_factor_page_refuses_what_is_no_code(code):
    assert client_of(make_protected()).post("/second-factor/", {"code": code}).status_code == 422


def test_second_factor_page_refuses_a_field_that_it_did_not_ask_for():
    user = make_protected()

    assert client_of(user).post("/second-factor/", {"code": fresh_code(user), "remember": "1"}).status_code == 422


def test_second_factor_page_keeps_a_customer_in_longer_than_staff():
    customer, staff = protected_client(make_protected()), staff_client(make_staff())

    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        assert customer.get("/account/").status_code == 200
        assert staff.get("/admin/").headers["Location"] == "/second-factor/"


def own_addresses():
    """Every address of the site that needs no argument but for the pages open to anybody at this point."""
    for pattern, before in _patterns():
        route = before + str(pattern.pattern)
        if "<" not in route and not getattr(pattern.callback, "open_to_half_signed_in", False):
            yield "/" + route


def _patterns(resolver=None, before=""):
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern, before
        else:
            yield from _patterns(pattern, before + str(pattern.pattern))


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("kind", ["customer", "staff"])
def test_before_the_second_factor_every_address_leads_to_it(kind, method):
    user, email = (make_protected(), EMAIL) if kind == "customer" else (make_staff(Role.PRIVACY_OFFICER), STAFF)
    client = client_of(user, email)
    addresses = [address for address in own_addresses() if not address.startswith(("/^", "/admin/(?P"))]

    answers = {address: getattr(client, method)(address) for address in addresses}

    assert len(answers) > 40
    elsewhere = {address: page.status_code for address, page in answers.items() if page.headers.get("Location") != "/second-factor/"}
    assert elsewhere == {}


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("make", [make_protected, lambda: make_staff(Role.PRIVACY_OFFICER)])
def test_actor_before_the_second_factor_is_nobody(make):
    user = make()
    client = client_of(user, EMAIL if user.role == Role.CUSTOMER else STAFF)

    page = client.get("/second-factor/")

    assert page.status_code == 200
    assert page.wsgi_request.actor == ANONYMOUS


@pytest.mark.promise("PROTECT-3")
def test_session_from_before_it_was_turned_on_opens_nothing():
    """Even one that outlived the turning on: whether it is needed is asked of the account, not of the session."""
    user = make_customer()
    client = client_of(user)
    session = AccountSession.objects.get(user=user)
    confirm(user)
    session.save(force_insert=True)

    assert client.get("/account/").headers["Location"] == "/second-factor/"


@pytest.mark.promise("PROTECT-3")
def test_reset_password_leaves_the_second_factor_on():
    user = make_protected()
    with unit_of_work():
        reset_password(by=ANONYMOUS, token=issue_token(user, AccountToken.Kind.RESET), password="one two three four five")
    client = Client()

    client.post("/sign-in/", {"email": EMAIL, "password": "one two three four five"})

    assert client.get("/account/").headers["Location"] == "/second-factor/"


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


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_second_factor_page_locks_out_after_five_wrong_codes(kind):
    user = make_protected()
    codes = codes_of(user)
    client = client_of(user)
    wrong = WRONG if kind == "app" else "0" * 16

    statuses = [client.post("/second-factor/", {"code": wrong}).status_code for _ in range(5)]
    locked = [client.post("/second-factor/", {"code": code}) for code in (fresh_code(user), codes[0])]

    assert statuses == [422, 422, 422, 422, 429]
    assert [page.status_code for page in locked] == [429, 429]
    assert "A new password does not shorten it" in locked[0].content.decode()
    assert client.get("/account/").headers["Location"] == "/second-factor/"


def test_second_factor_page_is_for_those_in_between():
    assert client_of(make_customer()).get("/second-factor/").headers["Location"] == "/account/"
    assert staff_client(make_staff()).get("/second-factor/").headers["Location"] == "/admin/"
    assert Client().get("/second-factor/").headers["Location"].startswith("/sign-in/")


# Setting up and turning off, by a customer


def set_up_form(user, **more):
    return {"code": current_code(secret_of(user)), "password": PASSWORD} | more


def test_set_up_page_shows_picture_and_key_and_turns_it_on():
    user = make_customer()
    client, other = client_of(user), client_of(user)

    page = client.get(SET_UP).content.decode()
    picture = client.get("/second-factor/code.svg")
    done = client.post(SET_UP, set_up_form(user))

    assert secret_of(user) in page.replace(" ", "")
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert "no-store" in picture.headers["Cache-Control"]
    assert done.status_code == 200
    assert "no-store" in done.headers["Cache-Control"]
    assert done.content.decode().count("<li><bdi><code>") == 10
    assert client.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"password": ""}, {"code": WRONG}, {"code": ""}, {"gender": "x"}])
def test_set_up_page_asks_for_password_and_code(wrong):
    user = make_customer()
    client = client_of(user)
    client.get(SET_UP)

    page = client.post(SET_UP, set_up_form(user, **wrong))

    assert page.status_code == 422
    assert not RecoveryCodes.objects.exists()
    assert SecondFactor.objects.get(user=user).confirmed_at is None


@pytest.mark.promise("PROTECT-3")
def test_secret_is_shown_nowhere_once_in_force():
    """Nor among one's own data: whoever sits down at a browser that is signed in could copy the second factor."""
    user = make_protected()
    client = protected_client(user)

    assert secret_of(user) not in client.get("/account/data/account/").content.decode()
    assert client.get(SET_UP).headers["Location"] == "/account/security/"
    assert client.get("/second-factor/code.svg").status_code == 404


def turn_off(user, by=None):
    with unit_of_work():
        remove_second_factor(by=by or user.actor, user=user)


def test_remove_second_factor_takes_codes_and_sessions_along_and_tells_by_mail():
    user = make_protected()
    codes_of(user)
    client = protected_client(user)
    deliver_all()

    turn_off(user)

    assert not SecondFactor.objects.exists()
    assert not RecoveryCodes.objects.exists()
    assert client.get("/account/").headers["Location"].startswith("/sign-in/")
    assert entries(Event.SECOND_FACTOR_REMOVED, subject_id=user.subject_id) == 1
    assert [message.subject for message in deliver_all()] == ["The second step is off"]


def test_remove_second_factor_refuses_others_and_nothing():
    user = make_protected()

    with pytest.raises(NotAllowed):
        turn_off(user, by=make_staff(Role.ADMINISTRATOR).actor)
    with pytest.raises(NoSecondFactor):
        turn_off(make_customer("other@example.org"))


def test_remove_second_factor_changes_nothing_if_the_event_cannot_be_written():
    user = make_protected()

    with pytest.raises(NotRecordable):
        turn_off(user, by=unwritable(user))

    assert SecondFactor.objects.exists()


def test_off_page_takes_password_and_code():
    user = make_protected()
    client = protected_client(user)

    statuses = [
        client.post(OFF, form).status_code
        for form in (
            {"password": PASSWORD},
            {"password": PASSWORD, "code": WRONG},
            {"password": "wrong", "code": fresh_code(user)},
            {"password": PASSWORD, "code": fresh_code(user), "x": "1"},
        )
    ]
    assert SecondFactor.objects.exists()
    done = client.post(OFF, {"password": PASSWORD, "code": fresh_code(user)})

    assert statuses == [422, 422, 422, 422]
    assert done.headers["Location"] == "/account/security/"
    assert not SecondFactor.objects.exists()
    assert client.get("/account/").status_code == 200


def test_off_page_takes_a_recovery_code():
    user = make_protected()
    codes = codes_of(user)
    client = protected_client(user)

    assert client.post(OFF, {"password": PASSWORD, "code": codes[0]}).status_code == 302
    assert not SecondFactor.objects.exists()


def test_off_page_leads_staff_on_to_another_app():
    user = make_staff()
    client = staff_client(user)
    before = secret_of(user)

    asked = client.post(OFF, {"password": PASSWORD, "code": fresh_code(user)})
    assert asked.headers["Location"] == "/second-factor/"
    assert client.get("/admin/").headers["Location"] == "/second-factor/"
    page = client.get("/second-factor/").content.decode()
    done = client.post("/second-factor/", {"code": current_code(secret_of(user))})

    assert secret_of(user) != before
    assert secret_of(user) in page.replace(" ", "")
    assert done.content.decode().count("<li><bdi><code>") == 10
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("address", [SET_UP, OFF])
def test_pages_of_the_second_factor_are_for_those_with_an_account(address):
    assert Client().get(address).headers["Location"].startswith("/sign-in/")


# Lost: reset by an administrator


@pytest.mark.promise("PROTECT-3")
def test_staff_without_a_second_factor_enroll_by_a_mailed_link_and_not_by_the_password_alone():
    user = make_staff(enrolled=False)
    client = client_of(user, STAFF)

    page = client.get("/second-factor/").content.decode()
    assert "Your second step is missing" in page
    assert not SecondFactor.objects.exists()
    assert client.get("/second-factor/code.svg").status_code == 404
    assert client.post("/second-factor/", {"code": "123456"}).status_code == 200

    client.post("/second-factor/link/")
    [message] = deliver_all()
    asked = Client()
    assert asked.get(link_in(message)).status_code == 200
    assert asked.post(link_in(message), {"password": PASSWORD}).headers["Location"] == "/second-factor/"
    assert asked.get("/admin/").headers["Location"] == "/second-factor/"
    assert asked.get("/second-factor/").status_code == 200
    assert asked.post("/second-factor/", {"code": current_code(secret_of(user))}).status_code == 200
    assert asked.get("/admin/").status_code == 200


def test_reset_second_factor_ends_everything_and_mails_a_link():
    user = make_staff()
    codes = codes_of(user)
    client, code = staff_client(user), fresh_code(user)
    deliver_all()

    reset(user)

    assert client.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    assert verify(user, code) is False
    assert not RecoveryCodes.objects.exists()
    assert entries(Event.SECOND_FACTOR_RESET, subject_id=user.subject_id) == 1
    [message] = [message for message in deliver_all() if message.to == [STAFF]]
    assert "/second-factor/link/" in message.body
    again = client_of(user, STAFF)
    assert again.post("/second-factor/", {"code": codes[0]}).status_code == 200
    assert again.get("/admin/").headers["Location"] == "/second-factor/"


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR, Role.JOB}))
def test_reset_second_factor_is_for_administrators(role):
    user = make_staff()

    with pytest.raises(NotAllowed):
        reset(user, by=Actor(role, id=make_customer().subject_id))


def test_reset_second_factor_is_not_for_oneself_and_needs_one():
    boss = make_staff(Role.ADMINISTRATOR, BOSS)

    with pytest.raises(NotAllowed):
        reset(boss, by=boss.actor)
    with pytest.raises(NoSecondFactor):
        reset(make_customer(), by=boss.actor)


def test_reset_second_factor_changes_nothing_if_the_event_cannot_be_written():
    user = make_staff()

    with pytest.raises(NotRecordable):
        reset(user, by=UNWRITABLE)

    assert SecondFactor.objects.get().reset_at is None


def test_customer_gets_in_again_after_a_reset_with_link_and_password():
    user = make_protected()
    reset(user)
    [*_others, message] = deliver_all()
    half = client_of(user)
    assert half.get("/account/").headers["Location"] == "/second-factor/"
    assert "was reset" in half.get("/second-factor/").content.decode()
    client = Client()

    wrong = client.post(link_in(message), {"password": "not this one"})
    done = client.post(link_in(message), {"password": PASSWORD})

    assert wrong.status_code == 422
    assert done.headers["Location"] == "/account/security/"
    assert client.get("/account/").status_code == 200
    assert not SecondFactor.objects.filter(user=user).exists()
    assert Client().post(link_in(message), {"password": PASSWORD}).status_code == 410


def enroll_by_link(user, password=PASSWORD, by=ANONYMOUS):
    token = issue_token(user, AccountToken.Kind.ENROLL)
    with unit_of_work():
        return open_enrollment(by=by, token=token, password=password)


def test_open_enrollment_refuses_a_wrong_password_and_one_in_force():
    user = make_protected()

    with pytest.raises(WrongPassword):
        enroll_by_link(user, password="not this one")
    with pytest.raises(TokenInvalid):
        enroll_by_link(user)

    assert SecondFactor.objects.exists()


def test_open_enrollment_writes_one_event_or_changes_nothing():
    user = make_protected()
    reset(user)

    with pytest.raises(NotRecordable):
        enroll_by_link(user, by=UNWRITABLE)
    assert SecondFactor.objects.exists()
    enroll_by_link(user)

    assert entries(Event.SECOND_FACTOR_REMOVED, subject_id=user.subject_id) == 1


def test_open_enrollment_lets_nobody_guess_the_password():
    user = make_protected()
    reset(user)
    address = f"/second-factor/link/{issue_token(user, AccountToken.Kind.ENROLL)}/"

    statuses = [Client().post(address, {"password": f"wrong {number}"}).status_code for number in range(5)]

    assert statuses == [422] * 5
    assert Client().post(address, {"password": PASSWORD}).status_code == 429


def test_confirm_second_factor_ends_the_links_that_would_undo_it():
    user = make_staff(enrolled=False)
    token = issue_token(user, AccountToken.Kind.ENROLL)

    confirm(user)

    assert Client().get(f"/second-factor/link/{token}/").status_code == 410


def test_send_enrollment_link_is_for_those_who_wait():
    user = make_protected()

    with pytest.raises(NotAllowed), unit_of_work():
        send_enrollment_link(by=user.actor, user=user)
    with pytest.raises(NotAllowed), unit_of_work():
        send_enrollment_link(by=ANONYMOUS, user=make_customer("other@example.org"))


def test_link_page_mails_a_limited_number():
    client = client_of(make_staff(enrolled=False), STAFF)

    statuses = [client.post("/second-factor/link/").status_code for _ in range(6)]

    assert statuses == [200] * 5 + [429]
    assert len(deliver_all()) == 5


def test_link_page_is_strict_and_for_those_who_wait():
    waiting = client_of(make_staff(enrolled=False), STAFF)

    assert waiting.post("/second-factor/link/", {"x": "1"}).status_code == 422
    assert waiting.get("/second-factor/link/").status_code == 405
    assert client_of(make_protected()).post("/second-factor/link/").headers["Location"] == "/second-factor/"
    assert Client().post("/second-factor/link/").headers["Location"].startswith("/sign-in/")
    assert deliver_all()[-1].subject != "Set up your second step"
