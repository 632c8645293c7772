import re

import pytest
from django.db import connection
from django.test import Client

from audit.errors import NotRecordable
from audit.events import Event
from marketplace.accounts.actions import issue_recovery_codes, reset_second_factor, use_recovery_code
from marketplace.accounts.codes import new_recovery_codes, new_salt, plain_digits, recovery_digest
from marketplace.accounts.errors import NoSecondFactor, NotAllowed
from marketplace.accounts.models import RecoveryCodes, SecondFactor
from marketplace.accounts.queries import recovery_codes_left
from privacy.access.gate import unit_of_work
from privacy.alerts.models import Alert, AlertKind
from privacy.policy.roles import Actor, Role
from tests.accounts.people import (
    EMAIL,
    NAME,
    PASSWORD,
    TEST,
    client_of,
    codes_of,
    deliver_all,
    entries,
    make_customer,
    make_protected,
    make_staff,
    protected_client,
    staff_client,
)

pytestmark = pytest.mark.django_db

PAGE = "/account/security/recovery-codes/"
TEXT = "/account/security/recovery-codes/text/"
SHAPE = re.compile(r"[0-9]{4}(?:-[0-9]{4}){3}")


def use(user, code, by=None):
    with unit_of_work():
        return use_recovery_code(by=by or user.actor, user=user, code=plain_digits(code))


def unwritable(user):
    return Actor(Role(user.role), id=user.subject_id, name="no token at all")


def test_new_recovery_codes_are_ten_different_ones_for_any_keyboard():
    codes = new_recovery_codes()

    assert len(set(codes)) == 10
    assert all(SHAPE.fullmatch(code) for code in codes)


def test_recovery_digest_depends_on_code_and_salt_and_not_on_how_it_is_written():
    salt = new_salt()
    code = new_recovery_codes()[0]

    assert recovery_digest(code, salt) == recovery_digest(code.replace("-", " "), salt)
    assert recovery_digest(code, salt) != recovery_digest(code, new_salt())
    assert recovery_digest(code, salt) != recovery_digest(new_recovery_codes()[0], salt)


@pytest.mark.promise("PROTECT-1")
def test_issue_recovery_codes_stores_none_of_them_with_one_event():
    user = make_protected()

    codes = codes_of(user)

    stored = str(RecoveryCodes.objects.values_list("digests", "salt").get())
    assert len(codes) == recovery_codes_left(user) == 10
    assert not any(code in stored or plain_digits(code) in stored for code in codes)
    assert entries(Event.RECOVERY_CODES_ISSUED, subject_id=user.subject_id) == 1


def test_issue_recovery_codes_again_ends_the_earlier_ones_and_tells_by_mail():
    user = make_protected()
    first = codes_of(user)
    deliver_all()

    second = codes_of(user)

    assert [message.subject for message in deliver_all()] == ["New recovery codes"]
    assert use(user, first[0]) is False
    assert use(user, second[0]) is True


def test_issue_recovery_codes_is_refused_for_others_and_without_a_second_factor():
    user, other = make_protected(), make_customer("other@example.org")

    with pytest.raises(NotAllowed), unit_of_work():
        issue_recovery_codes(by=make_staff(Role.ADMINISTRATOR).actor, user=user)
    with pytest.raises(NoSecondFactor):
        codes_of(other)
    with unit_of_work():
        reset_second_factor(by=TEST, user=user)
    with pytest.raises(NoSecondFactor):
        codes_of(user)


def test_issue_recovery_codes_changes_nothing_if_the_event_cannot_be_written():
    user = make_protected()

    with pytest.raises(NotRecordable), unit_of_work():
        issue_recovery_codes(by=unwritable(user), user=user)

    assert not RecoveryCodes.objects.exists()


def test_use_recovery_code_works_once_and_tells_by_mail():
    user = make_protected()
    codes = codes_of(user)
    deliver_all()

    assert [use(user, codes[3]), use(user, codes[3])] == [True, False]

    assert recovery_codes_left(user) == 9
    assert entries(Event.RECOVERY_CODE_USED, subject_id=user.subject_id) == 1
    assert entries(Event.SECOND_FACTOR_REFUSED, subject_id=user.subject_id) == 1
    [message] = deliver_all()
    assert message.subject == "A recovery code was used"
    assert "9 are left" in message.body
    assert EMAIL not in message.body + message.subject
    assert NAME not in message.body + message.subject


def test_use_recovery_code_refuses_codes_of_somebody_else():
    user, other = make_protected(), make_protected("other@example.org")
    codes = codes_of(other)
    codes_of(user)

    assert use(user, codes[0]) is False
    assert recovery_codes_left(other) == 10


def test_use_recovery_code_without_any_is_false():
    assert use(make_protected(), "0" * 16) is False


def test_use_recovery_code_changes_nothing_if_the_event_cannot_be_written():
    user = make_protected()
    codes = codes_of(user)

    with pytest.raises(NotRecordable):
        use(user, codes[0], by=unwritable(user))

    assert recovery_codes_left(user) == 10


@pytest.mark.parametrize("make", [make_protected, make_staff])
def test_recovery_code_signs_in_once(make):
    user = make()
    email = EMAIL if user.role == Role.CUSTOMER else "staff@example.org"
    codes = codes_of(user)

    first = client_of(user, email).post("/second-factor/", {"code": codes[0]})
    again = client_of(user, email).post("/second-factor/", {"code": codes[0]})

    assert first.status_code == 302
    assert again.status_code == 422


@pytest.mark.promise("PROTECT-4")
@pytest.mark.parametrize("make", [make_protected, make_staff])
def test_recovery_code_signs_in_although_the_secret_is_damaged_and_the_person_is_told_what_to_do(make):
    user = make()
    email = EMAIL if user.role == Role.CUSTOMER else "staff@example.org"
    codes = codes_of(user)
    damage_secret(user)
    client = client_of(user, email)

    by_app = client.post("/second-factor/", {"code": "123456"})
    by_code = client.post("/second-factor/", {"code": codes[0]})
    security = client.get("/account/security/")

    assert by_app.status_code == 422
    assert "Enter one of your recovery codes instead" in by_app.content.decode()
    assert Alert.objects.filter(kind=AlertKind.VALUE_UNREADABLE, subject_id=user.subject_id, about_label="accounts.secondfactor").exists()
    assert by_code.status_code == 302
    assert security.status_code == 200
    turned_off = client.post("/account/security/second-step/off/", {"password": PASSWORD, "code": codes[1]})
    assert turned_off.status_code == 302
    assert not SecondFactor.objects.filter(user=user).exists()


def damage_secret(user):
    with connection.cursor() as cursor:
        column = "set_byte(secret, length(secret) - 1, get_byte(secret, length(secret) - 1) # 1)"
        cursor.execute(f"UPDATE accounts_secondfactor SET secret = {column} WHERE user_id = %s", [user.pk])


# The pages


def test_page_makes_codes_for_the_password_and_shows_them_once():
    user = make_protected()
    client = protected_client(user)

    asked = client.get(PAGE)
    made = client.post(PAGE, {"password": PASSWORD})
    shown = SHAPE.findall(made.content.decode())
    again = client.get(PAGE)

    assert not SHAPE.search(asked.content.decode())
    assert len(set(shown)) == 10
    assert "no-store" in made.headers["Cache-Control"]
    assert not SHAPE.search(again.content.decode())
    assert use(user, shown[0]) is True


@pytest.mark.parametrize("form", [{}, {"password": "wrong"}, {"password": PASSWORD, "x": "1"}])
def test_page_makes_no_codes_without_the_password(form):
    client = protected_client(make_protected())

    assert client.post(PAGE, form).status_code == 422
    assert not RecoveryCodes.objects.exists()


def test_page_lets_nobody_guess_the_password():
    client = protected_client(make_protected())
    for _ in range(5):
        client.post(PAGE, {"password": "wrong"})

    assert client.post(PAGE, {"password": PASSWORD}).status_code == 429


def test_page_is_for_those_with_a_second_factor():
    assert client_of(make_customer()).get(PAGE).headers["Location"] == "/account/security/"
    assert Client().get(PAGE).headers["Location"].startswith("/sign-in/")


def test_page_serves_staff_too():
    client = staff_client(make_staff())

    page = client.post(PAGE, {"password": PASSWORD})

    assert len(SHAPE.findall(page.content.decode())) >= 10
    assert "/admin/" in page.content.decode()


def test_text_file_holds_the_codes_of_the_page():
    client = protected_client(make_protected())
    codes = new_recovery_codes()

    file = client.post(TEXT, {"codes": " ".join(codes)})

    assert file.headers["Content-Disposition"] == 'attachment; filename="recovery-codes.txt"'
    assert file.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in file.headers["Cache-Control"]
    assert SHAPE.findall(file.content.decode()) == codes


@pytest.mark.parametrize("codes", ["", "<script>", "1234-5678-9012-3456\nSet-Cookie: x", "1234-5678-9012-3456 free text", "1234"])
def test_text_file_echoes_nothing_else(codes):
    client = protected_client(make_protected())

    page = client.post(TEXT, {"codes": codes})

    assert page.status_code == 400
    assert not codes or codes.encode() not in page.content


def test_text_file_is_a_post_for_the_signed_in():
    assert protected_client(make_protected()).get(TEXT).status_code == 405
    assert Client().post(TEXT, {"codes": new_recovery_codes()[0]}).headers["Location"].startswith("/sign-in/")
