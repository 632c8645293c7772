"""The policy and the promises for programs: every version and live evidence, for anybody (CHANGE-5)."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import path
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from privacy.declarations.purposes import Purpose
from privacy.interface.serializers import Choice, StrictSerializer
from privacy.interface.views import PublicView
from privacy.policy.differences import ADDED, REMOVED, SAME, compare_sections, compare_summaries, compare_words
from privacy.policy.errors import NoPolicyInForce
from privacy.policy.promises import PROMISES, Group, Promise, evidence_of
from privacy.policy.queries import Chapter, Standing, history, text_of, texts_to_compare


class VersionLine(StrictSerializer):
    number = serializers.IntegerField(source="version.number", min_value=1)
    standing = Choice(Standing)
    announced_at = serializers.DateTimeField(source="version.announced_at")
    effective_at = serializers.DateTimeField(source="version.effective_at")
    until = serializers.DateTimeField(allow_null=True, help_text="When another replaces or replaced it.")


class SectionShown(StrictSerializer):
    id = serializers.CharField()
    heading = serializers.CharField()
    paragraphs = serializers.ListField(child=serializers.CharField())
    promises = serializers.ListField(child=serializers.CharField())


class VersionShown(VersionLine):
    purposes = serializers.ListField(source="version.purposes", child=Choice(Purpose))
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

    @extend_schema_field(SectionShown(many=True))
    def get_sections(self, chapter: Chapter) -> list[dict[str, Any]]:
        return list(SectionShown(self.context["text"].sections, many=True).data)

    def get_sha256(self, chapter: Chapter) -> str:
        return str(self.context["text"].sha256)


class PieceShown(StrictSerializer):
    kind = Choice([SAME, ADDED, REMOVED])
    words = serializers.CharField()


class DifferenceShown(StrictSerializer):
    id = serializers.CharField()
    kind = Choice([SAME, ADDED, REMOVED, "changed"])
    heading = PieceShown(many=True)
    paragraphs = serializers.ListField(child=PieceShown(many=True))


class Differences(StrictSerializer):
    locale = serializers.CharField(help_text="The language that is compared.")
    title = PieceShown(many=True)
    summary = serializers.ListField(child=PieceShown(many=True))
    sections = DifferenceShown(many=True)
    purposes_added = serializers.ListField(child=Choice(Purpose))
    purposes_removed = serializers.ListField(child=Choice(Purpose))


class EvidenceShown(StrictSerializer):
    ok = serializers.BooleanField(allow_null=True, help_text="Empty when there is nothing to judge yet.")
    text = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="When it was established; empty for just now.")


class PromiseLine(StrictSerializer):
    id = serializers.CharField()
    group = Choice(Group)
    title = serializers.CharField()
    control = serializers.CharField(allow_null=True, help_text="Which code keeps it; empty while none does.")


class PromiseShown(PromiseLine):
    evidence = serializers.SerializerMethodField(help_text="What the running system says of it now.")

    @extend_schema_field(EvidenceShown(many=True))
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


class DifferencesPage(PublicView):
    gives = {"GET": Differences}

    def get(self, request: Request, old: int, new: int) -> Response:
        """What differs between two versions of the policy, word by word."""
        versions = {chapter.version.number: chapter.version for chapter in history()}
        if old == new or old not in versions or new not in versions:
            raise Http404
        was, now = texts_to_compare(versions[old], versions[new], get_language() or "")
        return self.answer(
            {
                "locale": now.locale,
                "title": compare_words(was.title, now.title),
                "summary": compare_summaries(was.summary, now.summary),
                "sections": compare_sections(was.sections, now.sections),
                "purposes_added": [purpose for purpose in versions[new].purposes if purpose not in versions[old].purposes],
                "purposes_removed": [purpose for purpose in versions[old].purposes if purpose not in versions[new].purposes],
            }
        )


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
    path("policy/differences/<int:old>/<int:new>/", DifferencesPage.as_view(), name="policy-differences"),
    path("promises/", PromiseList.as_view(), name="promises"),
    path("promises/<slug:promise>/", PromisePage.as_view(), name="promise"),
]
