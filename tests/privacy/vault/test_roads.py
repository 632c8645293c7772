"""Every road into and out of a personal record, in one table: on none does a plain value travel.

A road is MASKED (it ends in the mask), SEALED (it ends in a token, or in nothing of the value at all) or REFUSED
(by an error that names the field, without the value).
"""

import copy
import csv
import io
import json
import logging
import pickle
import pprint
from asyncio.events import _get_running_loop, _set_running_loop
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from celery import Celery
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import construct_change_message, display_for_field, label_for_field, lookup_field
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.serializers import JSONSerializer
from django.core import serializers, signing
from django.core.cache import cache
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, Length, Upper
from django.db.utils import DatabaseError
from django.forms import inlineformset_factory, model_to_dict, modelform_factory, modelformset_factory
from django.http import HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.log import AdminEmailHandler
from django.views.debug import technical_500_response
from kombu import serialization
from kombu.exceptions import EncodeError
from rest_framework import serializers as framework
from rest_framework.renderers import JSONRenderer

from marketplace.accounts.models import AccountDetails
from marketplace.errors import FrameFormatter
from privacy.access.errors import NoPurpose
from privacy.access.gate import open_access
from privacy.access.models import Opening
from privacy.declarations import masks
from privacy.declarations.purposes import Purpose
from privacy.vault.errors import SealedValueMisused
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord
from tests.orders.factories import make_customer
from tests.privacy.vault.fixtures import stored_token
from tests.privacy.vault.records import Note

FIELD = "privacy.note.name"
PLAIN = {"name": "Kanarka Nameson", "email": "kanarka@example.org", "street": "Kanarkastreet 1", "body": "Kanarka wrote this"}
NEW = "Kanarka Anew"
CANARY = "kanarka"


class End(StrEnum):
    MASKED = "masked"
    SEALED = "sealed"
    REFUSED = "refused"


MASKED, SEALED, REFUSED = End


@dataclass(frozen=True)
class Road:
    name: str
    end: End
    go: Callable[[Note], Any]
    names: str = FIELD

    def __str__(self) -> str:
        return self.name


def roads(end: End, names: str = FIELD, **go: Callable[[Note], Any]) -> list[Road]:
    return [Road(name, end, each, names) for name, each in go.items()]


@pytest.fixture
def note(work, subject, own):
    with own():
        stored = Note.objects.create(subject=subject, code="c1", **PLAIN)
    return Note.objects.get(pk=stored.pk)


def has_canary(text: str) -> bool:
    return CANARY in text.lower()


def shown(result: Any) -> str:
    """Everything that could be seen of a result, without the names of our own columns."""
    if isinstance(result, bytes | memoryview):
        return bytes(result).decode("latin-1")
    if isinstance(result, dict):
        return " ".join(shown(each) for pair in result.items() for each in pair)
    if isinstance(result, PersonalRecord):
        return f"{result} {result!r} {shown(result.__dict__)}"
    if isinstance(result, list | tuple | set | frozenset | models.QuerySet):
        return " ".join(shown(each) for each in result)
    return f"{result} {result!r}"


def messages_of(error: BaseException | None) -> str:
    return "" if error is None else f"{error} {error!r} {messages_of(error.__cause__ or error.__context__)}"


def awaited(call: Callable[..., Any], *values: Any, **named: Any) -> Any:
    """Here, on this test's connections, also while an earlier test's browser has its event loop in this thread.

    That loop has to be set aside, and Django keeps other connections for a thread with a loop than for one without.
    """

    async def run() -> Any:
        return await call(*values, **named)

    loop, held = _get_running_loop(), connections.all()
    _set_running_loop(None)
    resting = connections.all()
    use(held)
    try:
        return async_to_sync(run)()
    finally:
        use(resting)
        _set_running_loop(loop)


def use(wrappers: list[BaseDatabaseWrapper]) -> None:
    for wrapper in wrappers:
        connections[wrapper.alias] = wrapper


def fault_of(road: Road, note: Note) -> str:
    """What is wrong with this road; empty when it ends as the table says. Everything it did is undone."""
    try:
        with transaction.atomic():
            seen = shown(road.go(note))
            transaction.set_rollback(True)
    except (TypeError, FieldError, DatabaseError, EncodeError) as refusal:
        said = messages_of(refusal)
        return "" if road.end is REFUSED and road.names in said and not has_canary(said) else said
    if road.end is REFUSED or has_canary(seen) or (masks.name in seen) != (road.end is MASKED):
        return f"ended in {seen}"
    return ""


def faults(roads: list[Road], note: Callable[[], Note]) -> dict[str, str]:
    found = {road.name: fault_of(road, note()) for road in roads}
    return {name: fault for name, fault in found.items() if fault}


# Out of a record


def template(text: str) -> Callable[[Note], str]:
    return lambda note: Template(text).render(Context({"note": note, "debug": True}))


def queryset(ask: Callable[[Any], Any]) -> Callable[[Note], Any]:
    return lambda note: list(ask(Note.objects.all()))


def logged(note: Note) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("tests.roads")
    logger.addHandler(handler)
    try:
        raise ValueError(note.name)
    except ValueError:
        logger.exception("%s %r %s", note.name, note, {"name": note.name})
    finally:
        logger.removeHandler(handler)
    return stream.getvalue()


def sent_message(note: Note) -> str:
    request = RequestFactory().get("/")
    request._messages = CookieStorage(request)
    messages.info(request, note.name)
    request._messages.update(response := HttpResponse())
    return str(response.cookies) + str(next(iter(request._messages)))


PRINTING = [
    *roads(
        MASKED,
        str=lambda note: str(note.name),
        format=lambda note: f"{note.name:>40}",
        percent=lambda note: "%s" % note.name,  # noqa: UP031
        str_format=lambda note: "{0.name} {0.email!s}".format(note),  # noqa: UP032
        join=lambda note: " ".join(map(str, [note.name])),
        print=lambda note: (stream := io.StringIO(), print(note.name, file=stream), stream.getvalue())[2],
        csv=lambda note: (stream := io.StringIO(), csv.writer(stream).writerow([note.name]), stream.getvalue())[2],
        logging=logged,
        response=lambda note: HttpResponse(note.name).content.decode(),
        message=sent_message,
        model_to_dict=model_to_dict,
        json_of_model_to_dict=lambda note: json.dumps(model_to_dict(note, ["name"]), ensure_ascii=False),
        record_dict=lambda note: {name: str(value) for name, value in note.__dict__.items()},
        serializable_value=lambda note: note.serializable_value("name"),
    ),
    *roads(
        SEALED,
        repr=lambda note: repr(note.name),
        ascii=lambda note: ascii(note.name),
        pprint=lambda note: pprint.pformat({"note": note.name}),
        record=lambda note: f"{note} {note!r}",
        bool=lambda note: bool(note.name),
        hash=lambda note: hash(note.name),
        equal_to_text=lambda note: note.name == PLAIN["name"],
        same_token=lambda note: note.name == Note.objects.get().name,
        one_in_a_set=lambda note: len({note.name, Note.objects.get().name}),
        in_a_list=lambda note: PLAIN["name"] in [note.name],
        state=lambda note: [getattr(note.name, "_draft", None), note.name.subject_id],
        natural_end=lambda note: [note.name.is_stored, note.name.row],
    ),
    *roads(
        REFUSED,
        length=lambda note: len(note.name),
        iteration=lambda note: list(note.name),
        index=lambda note: note.name[0],
        contains=lambda note: "K" in note.name,
        add=lambda note: note.name + "!",
        add_to=lambda note: "!" + note.name,
        modulo=lambda note: note.name % (),
        times=lambda note: note.name * 2,
        less=lambda note: note.name < "L",
        greater=lambda note: note.name >= "L",
        sort=lambda note: sorted([note.name, Note.objects.get().name]),
        bytes=lambda note: bytes(note.name),
        int=lambda note: int(note.name),
        float=lambda note: float(note.name),
    ),
    *roads(REFUSED, names="Sealed", str_join=lambda note: "".join([note.name])),
]

TEMPLATES = [
    *roads(
        MASKED,
        variable=template("{{ note.name }}"),
        default=template("{{ note.name|default:'x' }}"),
        default_if_none=template("{{ note.name|default_if_none:'x' }}"),
        upper=template("{{ note.name|upper }}"),
        safe=template("{{ note.name|safe }}"),
        truncated=template("{{ note.name|truncatechars:40 }}"),
        lines=template("{{ note.name|linebreaks }}"),
        stringformat=template("{{ note.name|stringformat:'s' }}"),
        escaped=template("{{ note.name|force_escape }}"),
        with_block=template("{% with shown=note.name %}{{ shown }}{% endwith %}"),
        translated=template("{% load i18n %}{% blocktranslate with shown=note.name %}{{ shown }}{% endblocktranslate %}"),
        firstof=template("{% firstof note.name 'x' %}"),
        escapejs=template("{{ note.name|escapejs }}"),
    ),
    *roads(
        SEALED,
        pprint_filter=template("{{ note.name|pprint }}"),
        debug_tag=template("{% debug %}"),
        added=template("{{ note.name|add:'x' }}"),
        length_filter=template("{{ note.name|length }}"),
        attribute=template("{{ note.name.value }}{{ note.name.0 }}{{ note.name.field.plain }}"),
        condition=template("{% if note.name == 'Kanarka Nameson' %}yes{% else %}no{% endif %}"),
        slug=template("{{ note.name|slugify }}"),
    ),
    *roads(REFUSED, json_script=template("{{ note.name|json_script:'x' }}")),
    *roads(REFUSED, first=template("{{ note.name|first }}"), for_loop=template("{% for letter in note.name %}{{ letter }}{% endfor %}")),
]


def in_a_session(note: Note) -> bytes:
    return JSONSerializer().dumps({"name": note.name})


def dumped(kind: str) -> Callable[[Note], Any]:
    return lambda note: str(serializers.serialize(kind, [note]))


CELERY = Celery("roads", broker="memory://", set_as_current=False)


@CELERY.task(name="roads.take")
def take(*values: Any, **named: Any) -> Any:
    """A task that could have been given anything."""


TRAVELLING = [
    *roads(
        SEALED,
        copied=lambda note: copy.copy(Opening(subject=note.subject, reason=NEW)),
        deeply_copied=lambda note: copy.deepcopy([Opening(subject=note.subject, reason=NEW)]),
    ),
    *roads(SEALED, dump_json=dumped("json"), dump_python=dumped("python"), dump_xml=dumped("xml"), dump_lines=dumped("jsonl")),
    *roads(
        REFUSED,
        pickle_value=lambda note: pickle.dumps(note.name),
        pickle_record=pickle.dumps,
        pickle_queryset=lambda note: pickle.dumps(Note.objects.all()),
        pickle_values=lambda note: pickle.dumps(Note.objects.values("name")),
        cache_value=lambda note: cache.set("road", note.name),
        cache_record=lambda note: cache.set("road", [note]),
        task_argument=lambda note: take.apply_async([note.name]),
        task_keyword=lambda note: take.apply_async(kwargs={"name": note.name}),
        task_result=lambda note: serialization.dumps({"result": note.name}, serializer="json"),
        json=lambda note: json.dumps({"name": note.name}),
        json_django=lambda note: json.dumps({"name": note.name}, cls=DjangoJSONEncoder),
        json_rest_framework=lambda note: JSONRenderer().render({"name": note.name}),
        session=in_a_session,
        signed=lambda note: signing.dumps({"name": note.name}),
    ),
    *roads(
        REFUSED,
        names="Sealed",
        raw_parameter=lambda note: connection.cursor().execute("SELECT %s", [note.name]),
    ),
    *roads(
        MASKED,
        cookie=lambda note: (response := HttpResponse(), response.set_signed_cookie("name", str(note.name)), str(note.name))[2],
        copied_value=lambda note: [copy.copy(note.name), copy.deepcopy(note.name)],
    ),
]


def without_row(note: Note) -> Any:
    """What the database hands out under another name belongs to no row and opens nowhere."""
    return Note.objects.annotate(also=F("name")).get().also


READING = [
    *roads(
        MASKED,
        all=queryset(lambda notes: [note.name for note in notes]),
        get=lambda note: Note.objects.get().name,
        values=queryset(lambda notes: notes.values("name")),
        values_list=queryset(lambda notes: notes.values_list("name")),
        values_flat=queryset(lambda notes: notes.values_list("name", flat=True)),
        values_named=queryset(lambda notes: [row.name for row in notes.values_list("name", named=True)]),
        only=queryset(lambda notes: [note.name for note in notes.only("name")]),
        defer=queryset(lambda notes: [note.name for note in notes.defer("name")]),
        annotate=without_row,
        alias=queryset(lambda notes: [note.name for note in notes.alias(also=F("name")).order_by("also")]),
        union=queryset(lambda notes: [note.name for note in notes.union(notes, all=True)]),
        union_values=queryset(lambda notes: notes.values_list("name", flat=True).union(notes.values_list("street", flat=True), all=True)),
        intersection=queryset(lambda notes: [note.name for note in notes.intersection(notes)]),
        difference=queryset(lambda notes: [*(note.name for note in notes), *notes.difference(notes)]),
        iterator=queryset(lambda notes: [note.name for note in notes.iterator(chunk_size=1)]),
        in_bulk=lambda note: [note.name for note in Note.objects.in_bulk([note.pk]).values()],
        first=lambda note: Note.objects.first().name,
        earliest=lambda note: Note.objects.earliest("written_at").name,
        latest_by_token=lambda note: Note.objects.latest("name").name,
        distinct=queryset(lambda notes: notes.values_list("name", flat=True).distinct()),
        distinct_on=queryset(lambda notes: [note.name for note in notes.distinct("name")]),
        order_by=queryset(lambda notes: [note.name for note in notes.order_by("name", "-street", F("body").desc())]),
        raw=queryset(lambda notes: [note.name for note in notes.raw("SELECT * FROM test_note")]),
        raw_of_another_column=queryset(lambda notes: [n.name for n in notes.raw("SELECT id, subject_id, street AS name FROM test_note")]),
        refreshed=lambda note: (note.refresh_from_db(), note.name)[1],
        refreshed_from=lambda note: (note.refresh_from_db(from_queryset=Note.objects.only("name")), note.name)[1],
        subquery=queryset(
            lambda notes: notes.annotate(also=Subquery(Note.objects.filter(pk=OuterRef("pk")).values("name"))).values_list(
                "also", flat=True
            )
        ),
        coalesce=queryset(lambda notes: notes.annotate(also=Coalesce("name", "street")).values_list("also", flat=True)),
        case=queryset(lambda notes: notes.annotate(also=Case(When(code="c1", then="name"))).values_list("also", flat=True)),
        asynchronous=lambda note: [each.name for each in awaited(listed)],
    ),
    *roads(
        SEALED,
        extra_select=lambda note: [row.raw_name for row in Note.objects.extra(select={"raw_name": "name"})],
        count=lambda note: Note.objects.aggregate(many=Count("name")),
        grouped=lambda note: list(Note.objects.values("name").annotate(many=Count("pk")).values_list("many")),
        exists=lambda note: Note.objects.filter(Exists(Note.objects.filter(name__isnull=False))).exists(),
        is_null=lambda note: Note.objects.exclude(name__isnull=True).count(),
        explain=lambda note: Note.objects.filter(name__isnull=False).explain(),
        sql=lambda note: str(Note.objects.values("name").query),
        token_length=lambda note: Note.objects.annotate(size=Length("name")).get().size,
        token_as_text=lambda note: Note.objects.annotate(also=Cast("name", models.TextField())).get().also,
    ),
    *roads(REFUSED, extra_under_its_name=lambda note: list(Note.objects.extra(select={"name": "street"}))),
]


async def listed() -> list[Note]:
    return [each async for each in Note.objects.all()]


def looked_up(lookup: str, value: Any = PLAIN["name"]) -> Callable[[Note], Any]:
    return lambda note: list(Note.objects.filter(**{f"name{lookup}": value}))


LOOKING_UP = roads(
    REFUSED,
    exact=looked_up(""),
    exact_by_token=lambda note: list(Note.objects.filter(name=note.name)),
    iexact=looked_up("__iexact"),
    contains_lookup=looked_up("__contains"),
    icontains=looked_up("__icontains"),
    startswith=looked_up("__startswith"),
    endswith=looked_up("__endswith"),
    regex=looked_up("__regex"),
    inside=looked_up("__in", [PLAIN["name"]]),
    greater_lookup=looked_up("__gt"),
    between=looked_up("__range", ("A", "Z")),
    transform=looked_up("__lower"),
    length_lookup=looked_up("__length", 3),
    unaccent=looked_up("__unaccent"),
    trigram=looked_up("__trigram_similar"),
    search_lookup=looked_up("__search"),
    exclude=lambda note: list(Note.objects.exclude(name=PLAIN["name"])),
    none=lambda note: Note.objects.exclude(name=None).count(),
    q=lambda note: list(Note.objects.filter(Q(code="c1") | Q(name=PLAIN["name"]))),
    get_by=lambda note: Note.objects.get(name=PLAIN["name"]),
    get_or_create_by=lambda note: Note.objects.get_or_create(name=PLAIN["name"], defaults={"subject": note.subject}),
    update_or_create_by=lambda note: Note.objects.update_or_create(name=PLAIN["name"], defaults={"code": "x"}),
    compared_columns=lambda note: list(Note.objects.filter(name=F("street"))),
    when=lambda note: list(Note.objects.annotate(hit=Case(When(name=PLAIN["name"], then=1)))),
    condition_expression=lambda note: list(Note.objects.annotate(hit=Q(name=PLAIN["name"]))),
    in_bulk_by=lambda note: Note.objects.filter(name__in=[note.name]).in_bulk(),
)


# Into a record


def changed(note: Note, **values: str) -> Note:
    for name, value in values.items():
        setattr(note, name, value)
    return note


def plain() -> models.QuerySet[Note]:
    """Past our own managers, as Django's own code could go."""
    return models.QuerySet(Note)


def another(note: Note, **values: str) -> Note:
    return Note(subject=note.subject, **(PLAIN | {"name": NEW} | values))


def form_of(note: Note, **data: str) -> Any:
    kind = modelform_factory(Note, fields=["name", "email", "street", "body", "code"])
    return kind({name: str(getattr(note, name)) for name in kind.base_fields} | data, instance=note)


def formset_of(note: Note, name: str) -> Any:
    kind = modelformset_factory(Note, fields=["name"], extra=0)
    data = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(note.pk), "form-0-name": name}
    return kind(data, queryset=Note.objects.all())


class NoteSerializer(framework.Serializer):
    """Written by hand, carelessly: plain text in, whatever there is out."""

    name = framework.CharField()

    def create(self, validated_data):
        return Note.objects.create(**validated_data)

    def update(self, instance, validated_data):
        instance.name = validated_data["name"]
        instance.save()
        return instance


def by_serializer(note: Note) -> Note:
    serializer = NoteSerializer(note, data={"name": NEW})
    serializer.is_valid(raise_exception=True)
    return serializer.save()


# What each leaves in the row is sealed, and opens as what was given.
WRITING = {
    "save": lambda note: changed(note, name=NEW).save(),
    "save_update_fields": lambda note: changed(note, name=NEW).save(update_fields=["name"]),
    "save_force_update": lambda note: changed(note, name=NEW).save(force_update=True),
    "save_new": lambda note: another(note).save(),
    "save_force_insert": lambda note: another(note).save(force_insert=True),
    "create": lambda note: Note.objects.create(subject=note.subject, name=NEW),
    "get_or_create": lambda note: Note.objects.get_or_create(code="new", defaults={"subject": note.subject, "name": NEW}),
    "update_or_create": lambda note: Note.objects.update_or_create(code="c1", defaults={"name": NEW}),
    "update_or_create_new": lambda note: Note.objects.update_or_create(
        code="new", defaults={"code": "x"}, create_defaults={"subject": note.subject, "name": NEW}
    ),
    "bulk_create": lambda note: Note.objects.bulk_create([another(note), another(note)]),
    "bulk_create_ignoring": lambda note: Note.objects.bulk_create([another(note)], ignore_conflicts=True),
    "bulk_create_base": lambda note: Note._base_manager.bulk_create([another(note)]),
    "bulk_update": lambda note: Note.objects.bulk_update([changed(note, name=NEW)], ["name"]),
    "acreate": lambda note: awaited(Note.objects.acreate, subject=note.subject, name=NEW),
    "asave": lambda note: awaited(changed(note, name=NEW).asave),
    "aget_or_create": lambda note: awaited(Note.objects.aget_or_create, code="new", defaults={"subject": note.subject, "name": NEW}),
    "aupdate_or_create": lambda note: awaited(Note.objects.aupdate_or_create, code="c1", defaults={"name": NEW}),
    "abulk_create": lambda note: awaited(Note.objects.abulk_create, [another(note)]),
    "bulk_update_base": lambda note: Note._base_manager.bulk_update([changed(note, name=NEW)], ["name"]),
    "abulk_update": lambda note: awaited(Note.objects.abulk_update, [changed(note, name=NEW)], ["name"]),
    "full_clean_and_save": lambda note: (changed(note, name=NEW).full_clean(), note.save()),
    "model_form": lambda note: form_of(note, name=NEW).save(),
    "model_formset": lambda note: formset_of(note, NEW).save(),
    "admin": lambda note: admin_form(note, NEW).save(),
    "serializer": by_serializer,
}

# What cannot seal does not write.
NOT_WRITING = roads(
    REFUSED,
    update=lambda note: Note.objects.update(name=NEW),
    update_base=lambda note: Note._base_manager.update(name=NEW),
    aupdate=lambda note: awaited(Note.objects.aupdate, name=NEW),
    update_by_column=lambda note: Note.objects.update(name=F("street")),
    update_by_column_base=lambda note: Note._base_manager.update(name=F("street")),
    update_by_open_column=lambda note: plain().update(name=F("code")),
    update_by_sealed_column=lambda note: plain().update(name=F("street")),
    update_by_sealed_columns=lambda note: plain().update(name=Coalesce("street", "body")),
    update_by_value=lambda note: plain().update(name=Value(NEW)),
    update_by_function=lambda note: plain().update(name=Upper("code")),
    update_by_concat=lambda note: plain().update(name=Concat("code", Value(NEW))),
    update_by_case=lambda note: plain().update(name=Case(When(code="c1", then=Value(NEW)), default=Value("x"))),
    update_by_case_of_columns=lambda note: plain().update(name=Case(When(code="c1", then="street"), default="name")),
    update_by_subquery=lambda note: plain().update(name=Subquery(Note.objects.values("code")[:1])),
    update_by_another_row=lambda note: plain().update(name=Subquery(Note.objects.values("name")[:1])),
    update_by_token=lambda note: Note.objects.update(name=note.name),
    update_by_token_base=lambda note: Note._base_manager.update(name=note.name),
    bulk_update_plain=lambda note: plain().bulk_update([changed(note, name=NEW)], ["name"]),
    assign_column=lambda note: setattr(note, "name", F("street")),
    assign_value=lambda note: setattr(note, "name", Value(NEW)),
    assign_number=lambda note: setattr(note, "name", 7),
    assign_bytes=lambda note: setattr(note, "name", NEW.encode()),
    assign_list=lambda note: setattr(note, "name", [NEW]),
    assign_mask=lambda note: setattr(note, "name", str(note.name)),
    create_from_masks=lambda note: Note.objects.create(subject=note.subject, **model_to_dict(note, ["name"])),
    serializer_of_model=lambda note: model_serializer(framework.ModelSerializer),
    serializer_in=lambda note: model_serializer(framework.ModelSerializer, data={"name": NEW}),
    serializer_linked=lambda note: model_serializer(framework.HyperlinkedModelSerializer),
    draft_dumped=lambda note: serializers.serialize("json", [another(note)]),
    draft_pickled=lambda note: pickle.dumps(another(note)),
    draft_cached=lambda note: cache.set("road", changed(note, name=NEW).name),
)
UPSERTING = roads(
    REFUSED,
    names="privacy.Note",
    bulk_create_updating=lambda note: Note.objects.bulk_create(
        [another(note)], update_conflicts=True, unique_fields=["id"], update_fields=["name"]
    ),
    move_to_another_person=lambda note: Note.objects.update(subject=Subject.objects.create()),
    move_to_another_person_base=lambda note: Note._base_manager.update(subject=Subject.objects.create()),
)
# The error names the field that would have been written.
FOREIGN = roads(
    REFUSED,
    names="privacy.note.street",
    update_by_another_token=lambda note: plain().update(street=note.name),
    update_by_another_token_base=lambda note: Note._base_manager.update(street=note.name),
    update_by_case_of_another_token=lambda note: plain().update(
        street=Case(When(pk=note.pk, then=Value(note.name, output_field=Note._meta.get_field("street"))))
    ),
)


def model_serializer(kind: type, **how: Any) -> Any:
    meta = type("Meta", (), {"model": Note, "fields": ["name"]})
    return dict(type("Careless", (kind,), {"Meta": meta})(**how).fields)


class NoteAdmin(admin.ModelAdmin):
    """As somebody would write it who never heard of sealed fields."""

    fields = ["name", "email", "street", "body", "code"]
    list_display = ["code", "name", "email"]
    list_editable = ["name"]
    search_fields = ["name"]
    list_filter = ["name"]


def note_admin() -> NoteAdmin:
    return NoteAdmin(Note, admin.AdminSite())


def searched(note: Note) -> Any:
    found, _ = note_admin().get_search_results(RequestFactory().get("/"), Note.objects.all(), "Kanarka")
    return list(found)


def admin_form(note: Note, name: str | None = None) -> Any:
    form = note_admin().get_form(RequestFactory().get("/"), note, change=True)
    values = {each: str(getattr(note, each)) for each in NoteAdmin.fields}
    return form(values | ({"name": name} if name else {}), instance=note)


def admin_cells(note: Note) -> list[Any]:
    site = note_admin()
    cells = [lookup_field(name, note, site) for name in NoteAdmin.list_display]
    return [display_for_field(value, field, "-") for field, _, value in cells] + [label_for_field("name", Note, site)]


def change_message(note: Note) -> str:
    form = admin_form(note, NEW)
    assert form.is_valid()
    return json.dumps(construct_change_message(form, [], add=False)) + note_admin().construct_change_message(None, form, []).__repr__()


FORMS = [
    *roads(
        MASKED,
        form_start=lambda note: str(modelform_factory(Note, fields=["name", "body"])(instance=note)),
        form_initial=lambda note: modelform_factory(Note, fields=["name"])(instance=note).initial,
        form_of_a_draft=lambda note: str(modelform_factory(Note, fields=["name"])(instance=another(note))),
        formset=lambda note: str(modelformset_factory(Note, fields=["name"])(queryset=Note.objects.all())),
        inline=lambda note: str(inline()(instance=note.subject)),
        admin_start=lambda note: str(note_admin().get_form(RequestFactory().get("/"), note)(instance=note)),
        admin_list=admin_cells,
        admin_list_editable=lambda note: str(note_admin().get_changelist_formset(RequestFactory().get("/"))(queryset=Note.objects.all())),
        serializer_out=lambda note: NoteSerializer(note).data,
    ),
    *roads(SEALED, admin_history=change_message),
    *roads(REFUSED, admin_search=searched),
]


def inline() -> Any:
    return inlineformset_factory(Subject, Note, fk_name="subject", fields=["name"], form=forms.ModelForm, extra=0)


# The tests


@pytest.mark.promise("PROTECT-4")
@pytest.mark.parametrize("roads", [PRINTING, TEMPLATES, TRAVELLING, READING, LOOKING_UP, FORMS], ids=lambda roads: roads[0].name)
def test_no_road_out_of_a_record_carries_a_plain_value(note, roads, caplog):
    assert faults(roads, lambda: Note.objects.get(pk=note.pk)) == {}
    assert not has_canary(caplog.text)


@pytest.mark.promise("PROTECT-4")
@pytest.mark.parametrize("roads", [PRINTING, TEMPLATES, FORMS], ids=lambda roads: roads[0].name)
def test_nor_does_one_out_of_a_draft(note, roads):
    roads = [road for road in roads if road.end is not SEALED]

    assert faults(roads, lambda: changed(Note.objects.get(pk=note.pk), name=NEW)) == {}


@pytest.mark.promise("PROTECT-1")
def test_what_cannot_seal_is_refused_and_changes_nothing(note, own):
    before = stored_token(note, "name")

    with own():
        assert faults([*NOT_WRITING, *UPSERTING, *FOREIGN], lambda: Note.objects.get(pk=note.pk)) == {}

    assert stored_token(note, "name") == before
    assert Note.objects.count() == 1


@pytest.mark.promise("PROTECT-1")
@pytest.mark.parametrize("write", WRITING.values(), ids=WRITING)
def test_every_road_into_a_row_seals_what_it_was_given(note, own, write):
    with own():
        write(note)

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM test_note")
        assert not has_canary(" ".join(shown(value) for row in cursor.fetchall() for value in row))
    with own() as grant:
        assert NEW in [grant.open(row.name) for row in Note.objects.all()]


@pytest.mark.promise("COLLECT-3")
def test_and_none_writes_without_a_purpose(note):
    before = stored_token(note, "name")

    for name, write in WRITING.items():
        with pytest.raises((NoPurpose, SealedValueMisused), match=r"privacy\.note\.\w+") as refusal, transaction.atomic():
            write(Note.objects.get(pk=note.pk))
        assert not has_canary(messages_of(refusal.value)), name

    assert stored_token(note, "name") == before
    assert Note.objects.count() == 1


# Errors


@pytest.mark.promise("PROTECT-4")
def test_an_error_inside_a_grant_is_reported_and_mailed_without_the_opened_value(note, own, settings, mailoutbox):
    settings.ADMINS = [("Administrator", "administrator@example.org")]
    stream = io.StringIO()
    console = logging.StreamHandler(stream)
    console.setFormatter(FrameFormatter("{message}", style="{"))
    logger = logging.getLogger("tests.report")
    logger.handlers = [console, AdminEmailHandler(include_html=True)]
    request = RequestFactory().post("/", {"name": PLAIN["name"]}, headers={"x-name": PLAIN["name"]})

    try:
        with own() as grant:
            opened = grant.open(note.name)
            raise ValueError(opened)
    except ValueError as error:
        logger.exception("It failed: %s", note.name, extra={"request": request})
        shown = technical_500_response(request, type(error), error, error.__traceback__).content.decode()
    finally:
        logger.handlers = []

    [message] = mailoutbox
    mailed = "".join([message.subject, message.body, *(str(part) for part, _ in message.alternatives)])
    for report in (stream.getvalue(), mailed, shown):
        assert "ValueError" in report
        assert not has_canary(report)


# The commands that write and read whole tables


@pytest.mark.promise("PROTECT-1")
@pytest.mark.django_db
def test_dumpdata_writes_tokens_and_loaddata_takes_nothing_else(policy, work, tmp_path, capsys):
    user = make_customer(name=PLAIN["name"])
    call_command("dumpdata", "accounts.accountdetails")
    dump = capsys.readouterr().out
    assert json.loads(dump)
    assert not has_canary(dump)
    fixture = tmp_path / "details.json"

    fixture.write_text(dump)
    AccountDetails.objects.filter(user=user).delete()
    call_command("loaddata", str(fixture), verbosity=0)
    with open_access(by=user.actor, purpose=Purpose.RIGHTS, subject=user.subject) as grant:
        assert grant.open(AccountDetails.objects.get(user=user).name) == PLAIN["name"]

    rows = json.loads(dump)
    rows[0]["fields"]["name"] = NEW
    fixture.write_text(json.dumps(rows))
    with pytest.raises((SealedValueMisused, NoPurpose), match=r"accounts\.accountdetails\.name") as refusal, transaction.atomic():
        call_command("loaddata", str(fixture), verbosity=0)
    assert not has_canary(messages_of(refusal.value))
