"""The policy and the promises for programs: every version and live evidence, for anybody (CHANGE-5)."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import path
from django.utils.translation import get_language
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from privacy.declarations.purposes import Purpose
from privacy.interface.serializers import StrictSerializer
from privacy.interface.views import PublicView
from privacy.policy.errors import NoPolicyInForce
from privacy.policy.promises import PROMISES, Group, Promise, evidence_of
from privacy.policy.queries import Chapter, Standing, history, text_of


class VersionLine(StrictSerializer):
    number = serializers.IntegerField(source="version.number", min_value=1)
    standing = serializers.ChoiceField(Standing)
    announced_at = serializers.DateTimeField(source="version.announced_at")
    effective_at = serializers.DateTimeField(source="version.effective_at")
    until = serializers.DateTimeField(allow_null=True, help_text="When another replaces or replaced it.")


class SectionShown(StrictSerializer):
    id = serializers.CharField()
    heading = serializers.CharField()
    paragraphs = serializers.ListField(child=serializers.CharField())
    promises = serializers.ListField(child=serializers.CharField())


class VersionShown(VersionLine):
    purposes = serializers.ListField(source="version.purposes", child=serializers.ChoiceField(Purpose))
    locale = serializers.SerializerMethodField(help_text="The language of these words.")
    title = serializers.SerializerMethodField()
    summary = serializers.SerializerMethodField()
    sections = serializers.SerializerMethodField()
    sha256 = serializers.SerializerMethodField(help_text="Fingerprint of these words.")

    def get_locale(self, chapter: Chapter) -> str:
        return str(self.context["text"].locale)

    def get_title(self, chapter: Chapter) -> str:
        return str(self.context["text"].title)

    def get_summary(self, chapter: Chapter) -> list[str]:
        return list(self.context["text"].summary)

    def get_sections(self, chapter: Chapter) -> list[dict[str, Any]]:
        return list(SectionShown(self.context["text"].sections, many=True).data)

    def get_sha256(self, chapter: Chapter) -> str:
        return str(self.context["text"].sha256)


class EvidenceShown(StrictSerializer):
    ok = serializers.BooleanField(allow_null=True, help_text="Empty when there is nothing to judge yet.")
    text = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="When it was established; empty for just now.")


class PromiseLine(StrictSerializer):
    id = serializers.CharField()
    group = serializers.ChoiceField(Group)
    title = serializers.CharField()
    control = serializers.CharField(allow_null=True, help_text="Which code keeps it; empty while none does.")


class PromiseShown(PromiseLine):
    evidence = serializers.SerializerMethodField(help_text="What the running system says of it now.")

    def get_evidence(self, promise: Promise) -> list[dict[str, Any]]:
        return list(EvidenceShown(evidence_of(promise.id), many=True).data)


class PolicyView(PublicView):
    def answer_version(self, chapter: Chapter | None) -> Response:
        if chapter is None:
            raise Http404
        return self.answer(chapter, text=text_of(chapter.version, get_language() or ""))


class PolicyPage(PolicyView):
    gives = {"GET": VersionShown}

    def get(self, request: Request) -> Response:
        """The privacy policy in force."""
        found = next((chapter for chapter in history() if chapter.standing == Standing.IN_FORCE), None)
        if found is None:
            raise NoPolicyInForce
        return self.answer_version(found)


class VersionList(PublicView):
    gives = {"GET": VersionLine}
    is_list = True

    def get(self, request: Request) -> Response:
        """Every published version of the policy, newest first."""
        return self.answer_page(history())


class VersionPage(PolicyView):
    gives = {"GET": VersionShown}

    def get(self, request: Request, number: int) -> Response:
        """One version of the policy."""
        return self.answer_version(next((chapter for chapter in history() if chapter.version.number == number), None))


class PromiseList(PublicView):
    gives = {"GET": PromiseLine}
    is_list = True

    def get(self, request: Request) -> Response:
        """What we promise."""
        return self.answer_page([*PROMISES.values()])


class PromisePage(PublicView):
    gives = {"GET": PromiseShown}

    def get(self, request: Request, promise: str) -> Response:
        """One promise with its live evidence."""
        if promise not in PROMISES:
            raise Http404
        return self.answer(PROMISES[promise])


urlpatterns = [
    path("policy/", PolicyPage.as_view(), name="policy"),
    path("policy/versions/", VersionList.as_view(), name="policy-versions"),
    path("policy/versions/<int:number>/", VersionPage.as_view(), name="policy-version"),
    path("promises/", PromiseList.as_view(), name="promises"),
    path("promises/<slug:promise>/", PromisePage.as_view(), name="promise"),
]
