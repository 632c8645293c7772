"""Requests: made, followed, canceled; the copy downloaded (RIGHTS-1, RIGHTS-2, RIGHTS-3, RIGHTS-7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request as Call
from rest_framework.response import Response

from privacy.access.gate import open_for_unit
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.interface.areas import Area
from privacy.interface.serializers import Choice, OpenedField, StrictSerializer, Text
from privacy.interface.views import OwnView, made_at, shown_at
from privacy.retention.walker import Holding, record_models
from privacy.rights.actions import cancel_erasure, request_copy, request_erasure
from privacy.rights.api.proof import PasswordGiven, confirm_again
from privacy.rights.copies import download_copy
from privacy.rights.correctable import decided_fields, own_record
from privacy.rights.corrections import propose_correction
from privacy.rights.erasure import blockers_of, plan_erasure
from privacy.rights.models import Request
from privacy.rights.queries import RecordSequence, detail_of, requests_of
from privacy.rights.restrictions import freeze_data, lift_restriction, object_to_use, objectionable_purposes
from privacy.rights.tables import kept_words
from privacy.vault.records import PersonalRecord

FILE_NAME = "my-data.zip"


class RequestLine(StrictSerializer):
    id = serializers.UUIDField()
    code = serializers.CharField(help_text="To quote when you write to us.")
    kind = Choice(Request.Kind)
    topic = serializers.CharField(allow_blank=True, help_text="The use objected to, or the record to be corrected.")
    state = Choice(Request.State)
    made_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="We answer by then.")
    effective_at = serializers.DateTimeField(allow_null=True, help_text="When it begins; until then it can be canceled.")
    completed_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField(allow_blank=True)
    progress = serializers.IntegerField(source="work.progress", default=None, allow_null=True, help_text="Percent done.")
    download_until = serializers.SerializerMethodField(help_text="For a copy that is ready.")

    def get_download_until(self, request: Request) -> datetime | None:
        copy = getattr(request, "export", None)
        return copy.expires_at if copy is not None and copy.can_be_downloaded else None


class Wait(StrictSerializer):
    reason = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class Detail(StrictSerializer):
    """What was proposed or objected, and our answer to it."""

    old_value = OpenedField()
    new_value = OpenedField()
    reason = OpenedField()
    answer = OpenedField()


class RequestShown(RequestLine):
    waits_for = serializers.SerializerMethodField(help_text="What holds an erasure up.")
    detail = serializers.SerializerMethodField(help_text="What you proposed or objected, and our answer; empty for the other kinds.")

    @extend_schema_field(Wait(many=True))
    def get_waits_for(self, request: Request) -> list[dict[str, Any]]:
        waiting = blockers_of(request.subject_id) if request.state == Request.State.WAITING else []
        return list(Wait(waiting, many=True).data)

    @extend_schema_field(Detail(allow_null=True))
    def get_detail(self, request: Request) -> dict[str, Any] | None:
        detail = detail_of(request)
        return dict(Detail(detail, context=self.context).data) if detail else None


class Kept(StrictSerializer):
    what = serializers.SerializerMethodField()
    records = serializers.IntegerField(min_value=1)

    def get_what(self, holding: Holding) -> str:
        return str(holding.model._meta.verbose_name)


class KeptByLaw(Kept):
    why = serializers.SerializerMethodField()
    until = serializers.SerializerMethodField(help_text="The day by which all of it has gone; empty while that is not known.")

    def get_why(self, holding: Holding) -> str:
        return str(kept_words(holding.model))

    def get_until(self, holding: Holding) -> str | None:
        last = None if holding.waiting else holding.last_leaving
        return last.date().isoformat() if last else None


class Plan(StrictSerializer):
    goes = Kept(many=True)
    stays = KeptByLaw(many=True)
    waits_for = Wait(source="blockers", many=True)
    cooling_off = serializers.SerializerMethodField(help_text="Seconds in which you can cancel it.")

    def get_cooling_off(self, plan: Any) -> int:
        return int(settings.ERASURE_COOLING_OFF.total_seconds())


class CorrectableField(StrictSerializer):
    name = serializers.CharField()
    label = serializers.CharField(source="verbose_name")  # type: ignore[assignment]


class CorrectableRecord(StrictSerializer):
    record = serializers.UUIDField(source="pk")
    title = serializers.CharField()
    belongs_to = serializers.CharField(source="describe")
    fields_of_it = serializers.SerializerMethodField()

    @extend_schema_field(CorrectableField(many=True))
    def get_fields_of_it(self, record: PersonalRecord) -> list[dict[str, str]]:
        return list(CorrectableField(decided_fields(record), many=True).data)


class CorrectionGiven(StrictSerializer):
    record = serializers.UUIDField(help_text="One of those that can be corrected.")
    field = Text(max_length=80, help_text="The name of the field that is wrong.")
    value = Text(max_length=300, help_text="What it should be.")
    reason = Text(max_length=1000, required=False, allow_blank=True)


class FreezeGiven(StrictSerializer):
    categories = serializers.ListField(child=Choice(Category), min_length=1, max_length=len(Category))


class ObjectionGiven(StrictSerializer):
    purpose = Choice(Purpose)
    reason = Text(max_length=1000, required=False, allow_blank=True)


class Uses(StrictSerializer):
    purposes = serializers.ListField(child=Choice(Purpose))


class RequestView(OwnView):
    area = Area.REQUESTS

    def own_requests(self) -> QuerySet[Request]:
        return requests_of(self.subject_id).select_related("export", "erasure")

    def own_request(self, request_id: UUID) -> Request:
        return get_object_or_404(self.own_requests(), pk=request_id)

    def answer_request(self, request_id: UUID) -> Response:
        """As it is now, with where it stands."""
        address = reverse("api:request", args=[request_id])
        tell = made_at if self.request.method in self.made_by else shown_at
        return tell(self.answer_shown(self.own_request(request_id)), address)

    def answer_shown(self, request: Request) -> Response:
        grant = open_for_unit(by=self.actor, purpose=Purpose.RIGHTS, subject=request.subject_id, case=request)
        return self.answer(request, grant=grant)


class RequestList(RequestView):
    gives = {"GET": RequestLine}
    is_list = True

    def get(self, request: Call) -> Response:
        """What you asked of us, newest first."""
        return self.answer_page(self.own_requests())


class RequestPage(RequestView):
    gives = {"GET": RequestShown}

    def get(self, request: Call, request_id: UUID) -> Response:
        """One request."""
        return self.answer_shown(self.own_request(request_id))


class CopyMaker(RequestView):
    gives = {"POST": RequestShown}
    made_by = frozenset({"POST"})

    def post(self, request: Call) -> Response:
        """Ask for a copy of everything.

        It is made in the background. Once `download_until` is filled, it can be downloaded with your password.
        """
        self.given()
        return self.answer_request(request_copy(by=self.actor, subject=self.subject).pk)


class ErasurePlan(RequestView):
    gives = {"GET": Plan}

    def get(self, request: Call) -> Response:
        """What an erasure would take, what stays under which law, and what holds it up."""
        return self.answer(plan_erasure(self.subject_id))


class ErasureMaker(RequestView):
    takes = {"POST": PasswordGiven}
    gives = {"POST": RequestShown}
    made_by = frozenset({"POST"})
    asks_password = frozenset({"POST"})

    def post(self, request: Call) -> Response:
        """Have your data deleted.

        It begins after the time to think again; until then it can be canceled. Read the plan first.
        """
        confirm_again(request, self.given())
        return self.answer_request(request_erasure(by=self.actor, subject=self.subject).pk)


class CorrectableList(RequestView):
    gives = {"GET": CorrectableRecord}
    is_list = True

    def get(self, request: Call) -> Response:
        """Which of your records can be corrected by a request.

        Your name and your language are corrected at once, under your account's details.
        """
        models = [model for model in record_models() if decided_fields(model)]
        return self.answer_page(RecordSequence(self.subject_id, models))


class CorrectionMaker(RequestView):
    takes = {"POST": CorrectionGiven}
    gives = {"POST": RequestShown}
    made_by = frozenset({"POST"})

    def post(self, request: Call) -> Response:
        """Ask for a correction that somebody decides."""
        given = self.given()
        record = own_record(self.subject_id, given.pop("record"))
        if record is None:
            raise Http404
        return self.answer_request(propose_correction(by=self.actor, record=record, **given).pk)


class FreezeMaker(RequestView):
    takes = {"POST": FreezeGiven}
    gives = {"POST": RequestShown}
    made_by = frozenset({"POST"})

    def post(self, request: Call) -> Response:
        """Freeze kinds of data: they are only stored, neither used nor deleted, until you lift it."""
        categories = [Category(name) for name in self.given()["categories"]]
        return self.answer_request(freeze_data(by=self.actor, subject=self.subject, categories=categories).pk)


class ObjectionMaker(RequestView):
    takes = {"POST": ObjectionGiven}
    gives = {"GET": Uses, "POST": RequestShown}
    made_by = frozenset({"POST"})

    def get(self, request: Call) -> Response:
        """The uses to which you can object."""
        return self.answer({"purposes": objectionable_purposes()})

    def post(self, request: Call) -> Response:
        """Object to a use: it stands still from now on, and we answer in time."""
        given = self.given()
        how = {"purpose": Purpose(given["purpose"]), "reason": given.get("reason", "")}
        return self.answer_request(object_to_use(by=self.actor, subject=self.subject, **how).pk)


class RequestCancellation(RequestView):
    gives = {"POST": RequestShown}

    def post(self, request: Call, request_id: UUID) -> Response:
        """Cancel an erasure that has not begun."""
        self.given()
        asked = self.own_request(request_id)
        cancel_erasure(by=self.actor, request=asked)
        return self.answer_request(asked.pk)


class RestrictionEnd(RequestView):
    gives = {"POST": RequestShown}

    def post(self, request: Call, request_id: UUID) -> Response:
        """Lift a freeze, or take an objection back."""
        self.given()
        asked = self.own_request(request_id)
        lift_restriction(by=self.actor, request=asked)
        return self.answer_request(asked.pk)


class CopyDownload(RequestView):
    takes = {"POST": PasswordGiven}
    asks_password = frozenset({"POST"})
    wants_key = False
    streams = "application/zip"

    def post(self, request: Call, request_id: UUID) -> HttpResponseBase:
        """Download the copy."""
        asked = get_object_or_404(self.own_requests(), pk=request_id, kind=Request.Kind.EXPORT)
        confirm_again(request, self.given())
        chunks, size = download_copy(by=self.actor, request=asked)
        headers = {"Content-Length": str(size), "Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
        return StreamingHttpResponse(chunks, content_type=self.streams, headers=headers)
