"""What can happen to accounts."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.utils import timezone

from audit.events import Event
from marketplace.accounts.actions import (
    accept_invitation,
    agree_to_mailbox_change,
    appoint_staff,
    cancel_mailbox_change,
    change_locale,
    change_password,
    change_role,
    close_account,
    complete_mailbox_change,
    confirm_mailbox,
    confirm_mailbox_change,
    confirm_second_factor,
    dismiss_staff,
    end_listed_session,
    end_other_sessions,
    end_session,
    end_sessions,
    end_token,
    enroll_second_factor,
    enrollment_of,
    forget_unfinished_factors,
    forget_unproven_changes,
    hand_over_second_factor,
    invite_staff,
    issue_recovery_codes,
    make_token,
    open_enrollment,
    pass_second_factor,
    refuse_mailbox_change,
    refuse_session,
    remove_second_factor,
    request_mailbox_change,
    request_password_reset,
    reset_password,
    reset_second_factor,
    rotate_mailbox_index,
    search_account,
    send_confirmation_again,
    send_enrollment_link,
    sign_up,
    start_session,
    use_recovery_code,
    verify_second_factor,
)
from marketplace.accounts.codes import current_code
from marketplace.accounts.models import AccountSession, AccountToken, MailboxIndex, PendingMailbox, SecondFactor, User
from marketplace.accounts.sessions import SessionStore
from marketplace.accounts.tokens import issue_token
from privacy.interface.areas import TokenScope
from privacy.policy.roles import ANONYMOUS, Role
from privacy.vault.identifiers import uuid7
from tests.accounts import people
from tests.rules import canaries
from tests.rules.calls.people import EVERYTHING, TEST, customer, done, protected, staff
from tests.rules.calls.table import Keeps, call


@call(
    sign_up,
    writes=[
        Event.ACCOUNT_CREATED,
        Event.PERMISSION_GIVEN,
        Event.PERMISSION_GIVEN,
        Event.PERMISSION_GIVEN,
        Event.PERMISSION_GIVEN,
        Event.PERMISSION_GIVEN,
        Event.PERMISSION_GIVEN,
        Event.PERMISSION_GIVEN,
        Event.MESSAGE_QUEUED,
        Event.DATA_COLLECTED,
    ],
)
def with_an_account():
    me = {"name": canaries.NAME, "password": canaries.PASSWORD, "purposes": EVERYTHING, "locale": "en"}
    return lambda: sign_up(by=ANONYMOUS, email=canaries.mailbox(), **me)


def unconfirmed() -> User:
    return people.make_unconfirmed(canaries.mailbox(), canaries.NAME)


@call(send_confirmation_again, writes=[Event.MESSAGE_QUEUED])
def once_more():
    user = unconfirmed()
    return lambda: send_confirmation_again(by=ANONYMOUS, user=user)


@call(confirm_mailbox, writes=[Event.MAILBOX_CONFIRMED, Event.DATA_OPENED])
def by_mail():
    token = issue_token(unconfirmed(), AccountToken.Kind.CONFIRM)
    return lambda: confirm_mailbox(by=ANONYMOUS, token=token, password=people.PASSWORD)


@call(close_account, writes=[Event.ACCOUNT_CLOSED])
def for_good():
    user = customer()
    return lambda: close_account(by=user.actor, subject=user.subject)


@call(change_locale, writes=[Event.DETAILS_CORRECTED])
def to_german():
    user = customer()
    return lambda: change_locale(by=user.actor, user=user, locale="de")


# Mailboxes


def asked_to_change(user: User) -> PendingMailbox:
    return done(lambda: request_mailbox_change(by=user.actor, user=user, email=canaries.mailbox()))


@call(request_mailbox_change, writes=[Event.MAILBOX_CHANGE_REQUESTED, Event.MESSAGE_QUEUED, Event.MESSAGE_QUEUED, Event.DATA_COLLECTED])
def to_another():
    user = customer()
    return lambda: request_mailbox_change(by=user.actor, user=user, email=canaries.mailbox())


@call(confirm_mailbox_change, writes=[Event.MAILBOX_CHANGE_ANSWERED, Event.DATA_OPENED])
def new_one_first():
    user = customer()
    asked_to_change(user)
    token = issue_token(user, AccountToken.Kind.CHANGE)
    return lambda: confirm_mailbox_change(by=ANONYMOUS, token=token)


@call(
    confirm_mailbox_change,
    writes=[Event.DETAILS_CORRECTED, Event.MAILBOX_CHANGE_ANSWERED, Event.DATA_CORRECTED, Event.DATA_OPENED, Event.DATA_OPENED],
)
def new_one_last():
    user = customer()
    asked_to_change(user)
    PendingMailbox.objects.filter(user=user).update(agreed_at=timezone.now())
    token = issue_token(user, AccountToken.Kind.CHANGE)
    return lambda: confirm_mailbox_change(by=ANONYMOUS, token=token)


@call(agree_to_mailbox_change, writes=[Event.DETAILS_CORRECTED, Event.MAILBOX_CHANGE_ANSWERED, Event.DATA_CORRECTED, Event.DATA_OPENED])
def old_one():
    user = customer()
    asked_to_change(user)
    PendingMailbox.objects.filter(user=user).update(proven_at=timezone.now())
    token = issue_token(user, AccountToken.Kind.AGREE)
    return lambda: agree_to_mailbox_change(by=ANONYMOUS, token=token)


@call(refuse_mailbox_change, writes=[Event.MAILBOX_CHANGE_CANCELED])
def by_the_old_one():
    user = customer()
    asked_to_change(user)
    token = issue_token(user, AccountToken.Kind.REFUSE)
    return lambda: refuse_mailbox_change(by=ANONYMOUS, token=token)


@call(cancel_mailbox_change, writes=[Event.MAILBOX_CHANGE_CANCELED])
def by_oneself():
    user = customer()
    asked_to_change(user)
    return lambda: cancel_mailbox_change(by=user.actor, user=user)


@call(forget_unproven_changes, writes=[Event.MAILBOX_CHANGE_CANCELED])
def never_answered():
    user = customer()
    asked_to_change(user)
    PendingMailbox.objects.filter(user=user).update(requested_at=timezone.now() - timedelta(days=2))
    return forget_unproven_changes


@call(complete_mailbox_change, writes=[Event.DETAILS_CORRECTED, Event.DATA_CORRECTED, Event.DATA_OPENED])
def alone():
    user = customer()
    asked_to_change(user)
    long_ago = timezone.now() - timedelta(days=15)
    PendingMailbox.objects.filter(user=user).update(proven_at=long_ago, requested_at=long_ago)
    return lambda: complete_mailbox_change(by=user.actor, user=user)


@call(rotate_mailbox_index, writes=[Event.MAILBOX_INDEX_ROTATED, Event.DATA_OPENED], keeps=Keeps.ROUNDS)
def under_the_key_in_use():
    MailboxIndex.objects.filter(user=customer()).update(key_name="former")
    return lambda: list(rotate_mailbox_index(by=TEST))


# Passwords and sessions


@call(request_password_reset, writes=[Event.PASSWORD_RESET_REQUESTED])
def forgotten():
    return lambda: request_password_reset(by=ANONYMOUS, email=canaries.mailbox(), locale="en")


@call(reset_password, writes=[Event.PASSWORD_CHANGED, Event.MESSAGE_QUEUED])
def with_a_link():
    token = issue_token(customer(), AccountToken.Kind.RESET)
    return lambda: reset_password(by=ANONYMOUS, token=token, password=canaries.PASSWORD)


@call(change_password, writes=[Event.PASSWORD_CHANGED, Event.MESSAGE_QUEUED])
def signed_in():
    user = customer()
    return lambda: change_password(by=user.actor, user=user, password=canaries.PASSWORD)


def request_of(user: User | AnonymousUser | None = None):
    request = RequestFactory(**canaries.BROWSER).post("/sign-in/")
    request.session, request.user = SessionStore(), user or AnonymousUser()
    return request


def reference_of_session(user: User) -> UUID:
    """Of a browser on which they are signed in."""
    request = request_of()
    done(lambda: start_session(by=user.actor, request=request, user=user))
    request.session.save()
    return UUID(hex=AccountSession.objects.get(user=user).session_key[:32])


@call(start_session, writes=[Event.SESSION_STARTED])
def begun():
    user = customer()
    return lambda: start_session(by=user.actor, request=request_of(), user=user)


@call(refuse_session, writes=[Event.SESSION_REFUSED])
def of_an_account():
    email = canaries.mailbox()
    people.make_customer(email, canaries.NAME)
    return lambda: refuse_session(by=ANONYMOUS, request=request_of(), email=email)


@call(refuse_session, writes=[Event.ACCOUNT_LOCKED_OUT])
def locked_out():
    email = canaries.mailbox()
    people.make_customer(email, canaries.NAME)

    def act() -> None:
        request = request_of()
        request.axes_locked_out, request.axes_failures_since_start = True, 5  # type: ignore[attr-defined]
        refuse_session(by=ANONYMOUS, request=request, email=email)

    return act


@call(end_session, writes=[Event.SESSION_ENDED])
def signed_out():
    user = customer()
    return lambda: end_session(by=user.actor, request=request_of(user))


@call(end_sessions, writes=[Event.SESSION_ENDED])
def everywhere():
    user = customer()
    reference_of_session(user)
    return lambda: end_sessions(by=TEST, user=user)


@call(end_listed_session, writes=[Event.SESSION_ENDED])
def one_of_the_list():
    user = customer()
    reference = reference_of_session(user)
    return lambda: end_listed_session(by=user.actor, user=user, reference=reference)


@call(end_other_sessions, writes=[Event.SESSION_ENDED])
def but_this():
    user = customer()
    reference_of_session(user)
    return lambda: end_other_sessions(by=user.actor, user=user, keep="another")


# Second factors


@call(enroll_second_factor, enrollment_of, writes=[Event.DATA_COLLECTED, Event.DATA_OPENED])
def shown():
    user = customer()
    return lambda: enrollment_of(by=user.actor, user=user)


@call(forget_unfinished_factors, writes=[Event.DATA_PURGED])
def a_day_later():
    user = customer()
    done(lambda: enrollment_of(by=user.actor, user=user))
    SecondFactor.objects.filter(user=user).update(begun_at=timezone.now() - timedelta(days=2))
    return lambda: forget_unfinished_factors()


@call(confirm_second_factor, writes=[Event.SECOND_FACTOR_ENROLLED, Event.MESSAGE_QUEUED, Event.DATA_OPENED])
def first_code():
    user = customer()
    secret, _uri = done(lambda: enrollment_of(by=user.actor, user=user))
    return lambda: confirm_second_factor(by=user.actor, user=user, code=current_code(secret))


@call(pass_second_factor, verify_second_factor, writes=[Event.SECOND_FACTOR_PASSED, Event.DATA_OPENED])
def right_code():
    user = protected()
    code = people.fresh_code(user)
    return lambda: pass_second_factor(by=user.actor, user=user, code=code)


@call(verify_second_factor, writes=[Event.SECOND_FACTOR_REFUSED, Event.DATA_OPENED])
def wrong_code():
    user = protected()
    return lambda: verify_second_factor(by=user.actor, user=user, code="abcdef")


@call(remove_second_factor, writes=[Event.SECOND_FACTOR_REMOVED, Event.MESSAGE_QUEUED])
def turned_off():
    user = protected()
    return lambda: remove_second_factor(by=user.actor, user=user)


@call(reset_second_factor, writes=[Event.SECOND_FACTOR_RESET, Event.MESSAGE_QUEUED])
def lost():
    user, by = protected(), staff(Role.ADMINISTRATOR).actor
    return lambda: reset_second_factor(by=by, user=user)


@call(send_enrollment_link, writes=[Event.MESSAGE_QUEUED])
def link_again():
    user = staff(enrolled=False)
    return lambda: send_enrollment_link(by=ANONYMOUS, user=user)


@call(open_enrollment, writes=[Event.SECOND_FACTOR_REMOVED])
def after_a_reset():
    user = protected()
    SecondFactor.objects.filter(user=user).update(reset_at=timezone.now())
    token = issue_token(user, AccountToken.Kind.ENROLL)
    return lambda: open_enrollment(by=ANONYMOUS, token=token, password=people.PASSWORD)


@call(hand_over_second_factor, writes=[Event.SECOND_FACTOR_ENROLLED, Event.DATA_COLLECTED, Event.DATA_OPENED])
def beside_the_person():
    user = staff(enrolled=False)
    return lambda: hand_over_second_factor(by=TEST, user=user)


@call(issue_recovery_codes, writes=[Event.RECOVERY_CODES_ISSUED, Event.MESSAGE_QUEUED])
def ten():
    user = protected()
    people.codes_of(user)
    return lambda: issue_recovery_codes(by=user.actor, user=user)


@call(use_recovery_code, writes=[Event.RECOVERY_CODE_USED, Event.MESSAGE_QUEUED])
def one_of_ten():
    user = protected()
    code = people.codes_of(user)[0]
    return lambda: use_recovery_code(by=user.actor, user=user, code=code)


@call(use_recovery_code, writes=[Event.SECOND_FACTOR_REFUSED])
def unknown_code():
    user = protected()
    return lambda: use_recovery_code(by=user.actor, user=user, code=canaries.WORDS)


# Staff


@call(appoint_staff, writes=[Event.STAFF_APPOINTED, Event.DATA_COLLECTED])
def by_an_administrator():
    by = staff(Role.ADMINISTRATOR).actor
    who = {"name": canaries.NAME, "role": Role.SUPPORT, "password": canaries.PASSWORD}
    return lambda: appoint_staff(by=by, email=canaries.mailbox(), **who)


@call(invite_staff, writes=[Event.STAFF_INVITED, Event.MESSAGE_QUEUED, Event.DATA_COLLECTED])
def by_mail_to_join():
    by = staff(Role.ADMINISTRATOR).actor
    return lambda: invite_staff(by=by, invitation=uuid7(), email=canaries.mailbox(), role=Role.SUPPORT)


@call(accept_invitation, writes=[Event.STAFF_JOINED, Event.DATA_COLLECTED, Event.DATA_OPENED])
def joining():
    invited = done(lambda: invite_staff(by=TEST, invitation=uuid7(), email=canaries.mailbox(), role=Role.SUPPORT))
    token = issue_token(invited, AccountToken.Kind.INVITE)
    return lambda: accept_invitation(by=ANONYMOUS, token=token, name=canaries.NAME, password=canaries.PASSWORD)


@call(change_role, writes=[Event.STAFF_APPOINTED])
def to_finance():
    by, user = staff(Role.ADMINISTRATOR).actor, staff()
    return lambda: change_role(by=by, user=user, role=Role.FINANCE)


@call(dismiss_staff, writes=[Event.ACCOUNT_CLOSED, Event.STAFF_LEFT])
def leaving():
    by, user = staff(Role.ADMINISTRATOR).actor, staff()
    return lambda: dismiss_staff(by=by, user=user)


@call(search_account, writes=[Event.ACCOUNT_SEARCHED])
def found():
    by, email = staff().actor, canaries.mailbox()
    people.make_customer(email, canaries.NAME)
    return lambda: search_account(by=by, email=email)


@call(search_account, writes=[Event.ACCOUNT_SEARCHED])
def nobody():
    by = staff().actor
    return lambda: search_account(by=by, email=canaries.mailbox())


# Programs


@call(make_token, writes=[Event.API_TOKEN_MADE, Event.MESSAGE_QUEUED])
def for_programs():
    user = customer()
    return lambda: make_token(by=user.actor, user=user, scopes=[TokenScope.ORDERS_READ], lasts=timedelta(days=30))


@call(end_token, writes=[Event.API_TOKEN_ENDED])
def of_programs():
    user = customer()
    token, _secret = done(lambda: make_token(by=user.actor, user=user, scopes=[TokenScope.ORDERS_READ], lasts=timedelta(days=30)))
    return lambda: end_token(by=user.actor, token=type(token).objects.get(pk=token.pk))
