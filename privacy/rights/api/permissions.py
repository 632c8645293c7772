"""Permissions and approvals: read, given in the words that were shown, taken back (RIGHTS-4, USE-4)."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import get_language
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from privacy.consent.actions import give_consent, withdraw_consent
from privacy.consent.errors import WordsChanged
from privacy.consent.models import ConsentEntry
from privacy.consent.queries import Permission, history_of, permissions_in_force
from privacy.consent.statements import fingerprint, statement_text
from privacy.declarations.purposes import Purpose
from privacy.interface.areas import Area
from privacy.interface.serializers import Choice, StrictSerializer, Text
from privacy.interface.views import OwnView
from privacy.rights.consequences import STOPS
from privacy.sharing.actions import decide_approval
from privacy.sharing.queries import Approvable, approvable_of, approvables_of


class PermissionLine(StrictSerializer):
    purpose = Choice(Purpose)
    label = serializers.CharField(source="purpose.label")  # type: ignore[assignment]
    is_given = serializers.BooleanField()
    is_essential = serializers.BooleanField(source="rule.essential", help_text="The service ends with it.")
    decided_at = serializers.DateTimeField(source="entry.at", default=None, allow_null=True)
    words = serializers.SerializerMethodField(help_text="What is asked, in the language of the call.")
    fingerprint = serializers.SerializerMethodField(help_text="Stands for these very words; a yes sends it back.")
    stops = serializers.SerializerMethodField(help_text="What stops when you take it back.")

    def get_words(self, permission: Permission) -> str:
        return statement_text(permission.purpose, _locale())

    def get_fingerprint(self, permission: Permission) -> str:
        return fingerprint(permission.purpose, _locale())

    def get_stops(self, permission: Permission) -> str:
        return str(STOPS[permission.purpose])


class Yes(StrictSerializer):
    fingerprint = Text(max_length=64, help_text="Of the words that the person has read.")


class DecisionLine(StrictSerializer):
    at = serializers.DateTimeField()
    decision = Choice(ConsentEntry.Decision)
    words = serializers.CharField(source="statement.text")
    locale = serializers.CharField(source="statement.locale")
    policy_version = serializers.IntegerField(source="statement.policy.number")


class ApprovalLine(StrictSerializer):
    recipient = serializers.SlugField(source="recipient.slug")
    name = serializers.CharField(source="recipient.name")
    purpose = Choice(Purpose)
    is_given = serializers.BooleanField()
    decided_at = serializers.DateTimeField(source="approval.at", default=None, allow_null=True)


class PermissionView(OwnView):
    area = Area.PERMISSIONS

    def permission(self, purpose: str) -> Permission:
        found = next((each for each in permissions_in_force(self.subject_id) if each.purpose == purpose), None)
        if found is None:
            raise Http404
        return found


class PermissionList(PermissionView):
    gives = {"GET": PermissionLine}
    is_list = True

    def get(self, request: Request) -> Response:
        """What you allow."""
        return self.answer_page(permissions_in_force(self.subject_id))


class PermissionPage(PermissionView):
    takes = {"PUT": Yes}
    gives = {"GET": PermissionLine, "PUT": PermissionLine, "DELETE": None}

    def get(self, request: Request, purpose: str) -> Response:
        """One permission."""
        return self.answer(self.permission(purpose))

    def put(self, request: Request, purpose: str) -> Response:
        """Give a permission.

        It is given to the words whose fingerprint you send. In another language, or after a change, they are others.
        """
        asked, given = self.permission(purpose), self.given()
        if given["fingerprint"] != fingerprint(asked.purpose, _locale()):
            raise WordsChanged
        give_consent(by=self.actor, subject=self.subject, purpose=asked.purpose, locale=_locale())
        return self.answer(self.permission(purpose))

    def delete(self, request: Request, purpose: str) -> Response:
        """Take a permission back.

        It holds from the next moment on. `stops` of the permission says what ends with it.
        """
        withdraw_consent(by=self.actor, subject=self.subject, purpose=self.permission(purpose).purpose, locale=_locale())
        return Response(status=204)


class DecisionList(PermissionView):
    gives = {"GET": DecisionLine}
    is_list = True

    def get(self, request: Request, purpose: str) -> Response:
        """Every decision on one permission, newest first."""
        return self.answer_page(history_of(self.subject_id, self.permission(purpose).purpose))


class ApprovalList(PermissionView):
    gives = {"GET": ApprovalLine}
    is_list = True

    def get(self, request: Request) -> Response:
        """Who may get data only with your approval."""
        return self.answer_page(approvables_of(self.subject_id))


class ApprovalPage(PermissionView):
    gives = {"PUT": ApprovalLine, "DELETE": None}

    def put(self, request: Request, slug: str, purpose: str) -> Response:
        """Approve one recipient for one use."""
        self.given()
        self._decide(slug, purpose, is_given=True)
        return self.answer(self._approvable(slug, purpose))

    def delete(self, request: Request, slug: str, purpose: str) -> Response:
        """Take an approval back."""
        self._decide(slug, purpose, is_given=False)
        return Response(status=204)

    def _decide(self, slug: str, purpose: str, *, is_given: bool) -> None:
        asked = self._approvable(slug, purpose)
        if asked.is_given != is_given:
            how: dict[str, Any] = {"recipient": asked.recipient, "purpose": asked.purpose, "is_given": is_given}
            decide_approval(by=self.actor, subject=self.subject, **how)

    def _approvable(self, slug: str, purpose: str) -> Approvable:
        found = approvable_of(self.subject_id, slug, purpose)
        if found is None:
            raise Http404
        return found


def _locale() -> str:
    return get_language() or "en"
