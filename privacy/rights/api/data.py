"""Everything held about the person, who used it, who has it and when it goes (RIGHTS-1, RIGHTS-6, USE-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import Entry
from privacy.access.silences.queries import withheld_from
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.interface.areas import Area
from privacy.interface.serializers import Choice, StrictSerializer
from privacy.interface.views import OwnView
from privacy.policy.roles import STAFF_ROLES, Role
from privacy.retention.queries import goings_of
from privacy.retention.walker import models_in
from privacy.rights.cases import cases_in_words
from privacy.rights.forms import UsesForm
from privacy.rights.proofs import take_proof, take_proofs, zip_file
from privacy.rights.queries import RecordSequence, cards_of, opened_cards
from privacy.rights.uses import lines_of, narrowed, uses_of
from privacy.sharing.models import Disclosure, FollowUp, Recipient
from privacy.sharing.queries import disclosures_about, holders_about, words_of_fields

WHO = (UsesForm.EVERYBODY, UsesForm.YOU, UsesForm.STAFF, *sorted(STAFF_ROLES), Role.JOB)


class CategoryCard(StrictSerializer):
    category = Choice(Category)
    values = serializers.IntegerField(min_value=0, help_text="How many values are held.")
    purposes = serializers.ListField(child=serializers.CharField(), help_text="What for.")
    recipients = serializers.ListField(child=serializers.CharField(), help_text="Who received some of it.")
    next_leaving = serializers.DateTimeField(allow_null=True, help_text="When the next of it goes.")
    waits_for = serializers.ListField(child=serializers.CharField(), help_text="What the clocks of the rest wait for.")


class DataOverview(StrictSerializer):
    categories = CategoryCard(many=True)


class HeldValue(StrictSerializer):
    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.CharField(allow_blank=True)
    is_readable = serializers.BooleanField(help_text="False for what is damaged, or whose key is gone.")


class HeldRecord(StrictSerializer):
    title = serializers.CharField()
    belongs_to = serializers.CharField()
    items = HeldValue(many=True)
    purposes = serializers.ListField(child=Choice(Purpose))
    leaves_at = serializers.DateTimeField(allow_null=True, help_text="When it goes; empty while its clock stands still.")
    waits_for = serializers.CharField(allow_blank=True, help_text="What it is kept until, in words.")
    law = serializers.CharField(allow_blank=True, help_text="The law that demands it, where one does.")
    law_words = serializers.CharField(allow_blank=True)


class Going(StrictSerializer):
    on = serializers.DateField(allow_null=True, help_text="The day; empty while it waits for something.")
    what = serializers.CharField()
    why = serializers.CharField(allow_blank=True)
    law = serializers.CharField(allow_blank=True)
    is_held = serializers.BooleanField(help_text="Not before something that is open has ended.")


class Use(StrictSerializer):
    id = serializers.UUIDField(help_text="The entry in our log.")
    at = serializers.DateTimeField(source="use.at")
    who = serializers.CharField(source="use.who")
    did = serializers.CharField(source="use.did")
    why = serializers.CharField(source="use.why", allow_blank=True)
    categories = serializers.CharField(source="use.categories", allow_blank=True)
    is_you = serializers.BooleanField(source="use.is_you")
    is_refused = serializers.BooleanField(source="use.is_refused")
    because = serializers.CharField(source="use.because", allow_blank=True, help_text="Why it was refused.")
    about = serializers.CharField(source="case.words", allow_blank=True, default="", help_text="The order or request it was about.")
    reason = serializers.CharField(allow_blank=True, help_text="What our staff wrote as their reason.")
    verdict = serializers.CharField(source="verdict_words", allow_blank=True, help_text="What somebody else here found, who checked it.")
    is_bound = serializers.BooleanField(help_text="In the signed tree of the log: nobody can change it unnoticed any more.")


class UsesQuery(StrictSerializer):
    category = Choice(Category, required=False, help_text="One kind of data.")
    who = Choice(WHO, required=False, help_text="By whom; everybody but yourself where it is left out.")
    purpose = Choice(Purpose, required=False, help_text="What for.")
    since = serializers.DateTimeField(required=False, help_text="From this moment on.")
    until = serializers.DateTimeField(required=False, help_text="Up to this moment, and with it.")
    refused = Choice(["true", "false"], required=False, help_text="`true`: only refused attempts.")


class WithheldUses(StrictSerializer):
    number = serializers.IntegerField(min_value=1)
    until = serializers.DateTimeField(help_text="They are in the list from then on.")


class FollowUpLine(StrictSerializer):
    kind = Choice(FollowUp.Kind)
    asked_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)


class Holder(StrictSerializer):
    recipient = serializers.SlugField(source="recipient.slug")
    name = serializers.CharField(source="recipient.name")
    kind = Choice(Recipient.Kind, source="recipient.kind")
    country = serializers.CharField(source="recipient.country")
    times = serializers.IntegerField(min_value=1, help_text="How often something went there.")
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    purposes = serializers.ListField(child=serializers.CharField())
    fields_received = serializers.ListField(source="fields", child=serializers.CharField())
    follow_ups = FollowUpLine(many=True, help_text="What we asked them to correct or delete.")


class DisclosureLine(StrictSerializer):
    at = serializers.DateTimeField()
    purpose = Choice(Purpose)
    categories = serializers.ListField(child=Choice(Category))
    fields_received = serializers.SerializerMethodField()
    about = serializers.SerializerMethodField(help_text="The order, request or message it was about.")

    def get_fields_received(self, disclosure: Disclosure) -> list[str]:
        return words_of_fields(disclosure.fields)

    def get_about(self, disclosure: Disclosure) -> str:
        return str(self.context["cases"].get((disclosure.case_label, disclosure.case_id), ""))


class DataView(OwnView):
    area = Area.DATA


class DataPage(DataView):
    gives = {"GET": DataOverview}

    def get(self, request: Request) -> Response:
        """What we hold about you, by kind."""
        return self.answer({"categories": cards_of(self.subject_id)})


class RecordList(DataView):
    gives = {"GET": HeldRecord}
    is_list = True

    def get(self, request: Request, category: str) -> Response:
        """Every record of one kind, with its values.

        That you read them is entered in the log, as every reading is.
        """
        if category not in Category:
            raise Http404
        shown, grant = Category(category), self.opened()
        records = RecordSequence(self.subject_id, models_in(shown))
        return self.answer_page(records, read=lambda page: opened_cards(page, shown, grant))


class TimeLine(DataView):
    gives = {"GET": Going}
    is_list = True

    def get(self, request: Request) -> Response:
        """What goes when, soonest first."""
        return self.answer_page(goings_of(self.subject_id))


class UseList(DataView):
    gives = {"GET": Use}
    query = UsesQuery
    is_list = True

    def get(self, request: Request) -> Response:
        """Who used your data, newest first."""
        subject_id, grant = self.subject_id, self.opened()
        entries = uses_asked_for(subject_id, self.asked())
        return self.answer_page(entries, read=lambda page: lines_of(subject_id, page, grant))


class WithheldList(DataView):
    gives = {"GET": WithheldUses}
    is_list = True

    def get(self, request: Request) -> Response:
        """How many uses are withheld from you for a legal reason, and until when."""
        return self.answer_page(withheld_from(self.subject_id))


class UseProof(DataView):
    streams = "application/zip"

    def get(self, request: Request, entry_id: UUID) -> HttpResponse:
        """Download the proof that a use stands in our log, with the program that checks it.

        What is not in the signed tree yet (`is_bound` is false) has none.
        """
        data = take_proof(by=self.actor, subject_id=self.subject_id, entry_id=entry_id)
        if data is None:
            raise Http404
        return zip_file(data, f"{entry_id}.zip")


class UseProofs(DataView):
    query = UsesQuery
    streams = "application/zip"

    def get(self, request: Request) -> HttpResponse:
        """Download the proofs of the uses that the filters leave, the newest 1,000.

        For older ones ask again with `until`, the moment of the oldest that came.
        """
        entries = uses_asked_for(self.subject_id, self.asked())
        return zip_file(take_proofs(by=self.actor, subject_id=self.subject_id, entries=entries), "proofs.zip")


def uses_asked_for(subject_id: UUID, asked: Mapping[str, Any]) -> QuerySet[Entry]:
    """What the query of a call leaves."""
    return narrowed(
        uses_of(subject_id),
        subject_id=subject_id,
        who=asked.get("who", UsesForm.OTHERS),
        category=Category(asked["category"]) if "category" in asked else None,
        purpose=Purpose(asked["purpose"]) if "purpose" in asked else None,
        since=asked.get("since"),
        until=asked.get("until"),
        refused_only=asked.get("refused") == "true",
    )


class RecipientList(DataView):
    gives = {"GET": Holder}
    is_list = True

    def get(self, request: Request) -> Response:
        """Who has your data."""
        return self.answer_page(holders_about(self.subject_id))


class DisclosureList(DataView):
    gives = {"GET": DisclosureLine}
    is_list = True

    def get(self, request: Request, slug: str) -> Response:
        """Each time something went to one recipient."""
        recipient = Recipient.objects.filter(slug=slug).first()
        sent = disclosures_about(self.subject_id).filter(recipient=recipient)
        if recipient is None or not sent.exists():
            raise Http404
        cases: dict[Any, str] = {}
        return self.answer_page(sent, read=lambda page: self._with_cases(page, cases), cases=cases)

    def _with_cases(self, page: Sequence[Disclosure], cases: dict[Any, str]) -> Sequence[Disclosure]:
        found = cases_in_words(self.subject_id, [(each.case_label, each.case_id) for each in page])
        cases.update({(reference.label, reference.id): case.words for reference, case in found.items()})
        return page
