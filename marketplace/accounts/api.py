"""The account for programs: details, sign-ins, what happened, tokens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.accounts.actions import change_locale, end_listed_session, end_other_sessions, end_token, request_mailbox_change
from marketplace.accounts.errors import TooManyMails
from marketplace.accounts.lockout import mailbox_digest
from marketplace.accounts.models import ApiToken, User
from marketplace.accounts.queries import details_of, open_sessions, security_events, tokens_of
from marketplace.accounts.security_events import in_words
from marketplace.accounts.sessions import session_digest
from privacy.access.limits import is_overdone
from privacy.access.places import at_the_gate
from privacy.interface.areas import Area, TokenScope
from privacy.interface.serializers import Choice, OpenedField, StrictSerializer, Text
from privacy.interface.views import OwnView
from privacy.rights.actions import correct_record
from privacy.rights.api.proof import PasswordGiven, confirm_again


class Account(StrictSerializer):
    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True, help_text="When the mailbox was confirmed.")
    has_second_factor = serializers.BooleanField()
    locale = serializers.CharField(help_text="Language of pages and mails.")


class Details(StrictSerializer):
    name = OpenedField()
    email = OpenedField()


class DetailsChange(StrictSerializer):
    name = Text(max_length=120, required=False)
    locale = Choice(settings.LANGUAGES, required=False)


class MailboxChange(PasswordGiven):
    email = serializers.EmailField(max_length=254)


class SignIn(StrictSerializer):
    id = serializers.UUIDField(source="reference")
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(help_text="The hour in which it was last used.")
    is_this = serializers.SerializerMethodField(help_text="Whether this call came through it.")

    def get_is_this(self, session: Any) -> bool:
        return bool(session.session_key == self.context["this"])


class SecurityEvent(StrictSerializer):
    at = serializers.DateTimeField()
    what = serializers.CharField()
    by_staff = serializers.CharField(allow_blank=True, help_text="The role of the member of staff who did it; empty for you.")


class Token(StrictSerializer):
    id = serializers.UUIDField()
    start = serializers.CharField(help_text="What the token begins with.")
    scopes = serializers.ListField(child=Choice(TokenScope))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_on = serializers.DateField(allow_null=True)
    is_this = serializers.SerializerMethodField(help_text="Whether this call came with it.")

    def get_is_this(self, token: ApiToken) -> bool:
        return bool(self.context["this"] == token.pk)


@at_the_gate("the account, its sessions and tokens")
class AccountView(OwnView):
    area = Area.ACCOUNT

    @property
    def user(self) -> User:
        """Guests have no account, and so nothing of it."""
        if not isinstance(self.request.user, User):
            raise Http404
        return self.request.user


class AccountPage(AccountView):
    gives = {"GET": Account}

    def get(self, request: Request) -> Response:
        """Your account."""
        return self.answer(self.user)


class DetailsPage(AccountView):
    other_place = None  # the person's own details, behind their wall

    takes = {"PATCH": DetailsChange}
    gives = {"GET": Details, "PATCH": Details}

    def get(self, request: Request) -> Response:
        """Your details."""
        return self._details()

    def patch(self, request: Request) -> Response:
        """Correct your details.

        A corrected name holds at once, and whoever received the old one is told.
        """
        given, user, record = self.given(), self.user, details_of(self.user)
        if "name" in given and record is not None:
            correct_record(by=self.actor, record=record, changes={"name": given["name"]})
        if "locale" in given:
            change_locale(by=self.actor, user=user, locale=given["locale"])
        return self._details()

    def _details(self) -> Response:
        return self.answer(details_of(self.user), grant=self.opened())


class MailboxChangePage(AccountView):
    takes = {"POST": MailboxChange}
    gives = {"POST": None}
    asks_password = frozenset({"POST"})

    def post(self, request: Request) -> Response:
        """Ask for another email address.

        We write to both mailboxes; the change is made when both have answered. Until then the old address stays in use.
        """
        given, user = self.given(), self.user
        confirm_again(request, given)
        if is_overdone("change", mailbox_digest(given["email"])):
            raise TooManyMails
        request_mailbox_change(by=self.actor, user=user, email=given["email"])
        return Response(status=204)


class SessionList(AccountView):
    gives = {"GET": SignIn, "DELETE": None}
    is_list = True

    def get(self, request: Request) -> Response:
        """Where you are signed in."""
        return self.answer_page(open_sessions(self.user), this=self._this())

    def delete(self, request: Request) -> Response:
        """Sign out everywhere else.

        Every token ends with the sessions, the one of this call included.
        """
        end_other_sessions(by=self.actor, user=self.user, keep=self._this())
        return Response(status=204)

    def _this(self) -> str:
        """The session of this call; none for a token, whatever cookie comes with it."""
        return "" if self.request.auth else session_digest(self.request.session.session_key or "")


class SessionPage(AccountView):
    gives = {"DELETE": None}

    def delete(self, request: Request, session_id: UUID) -> Response:
        """Sign out on one browser."""
        end_listed_session(by=self.actor, user=self.user, reference=session_id)
        return Response(status=204)


class SecurityEventList(AccountView):
    gives = {"GET": SecurityEvent}
    is_list = True

    def get(self, request: Request) -> Response:
        """What happened to your account."""
        return self.answer_page(security_events(self.subject_id), read=lambda page: [in_words(entry) for entry in page])


class TokenList(AccountView):
    gives = {"GET": Token}
    is_list = True

    def get(self, request: Request) -> Response:
        """Your tokens.

        They are made on the page Security, which asks for your password: no program makes itself a new key.
        """
        return self.answer_page(tokens_of(self.user), this=getattr(request.auth, "pk", None))


class TokenPage(AccountView):
    gives = {"DELETE": None}

    def delete(self, request: Request, token_id: UUID) -> Response:
        """End a token."""
        end_token(by=self.actor, token=get_object_or_404(tokens_of(self.user).select_related("user"), pk=token_id))
        return Response(status=204)


urlpatterns = [
    path("account/", AccountPage.as_view(), name="account"),
    path("account/details/", DetailsPage.as_view(), name="details"),
    path("account/email/", MailboxChangePage.as_view(), name="email"),
    path("account/sessions/", SessionList.as_view(), name="sessions"),
    path("account/sessions/<uuid:session_id>/", SessionPage.as_view(), name="session"),
    path("account/security-events/", SecurityEventList.as_view(), name="security-events"),
    path("account/tokens/", TokenList.as_view(), name="tokens"),
    path("account/tokens/<uuid:token_id>/", TokenPage.as_view(), name="token"),
]
