"""Every road into and out of a sealed field is safe, or refused with an error that names the field."""

from datetime import timedelta

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.serializers import python, xml_serializer
from django.db import connection, models, transaction
from django.db.migrations.writer import MigrationWriter
from django.db.models import F
from django.forms import modelform_factory
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.events import Event
from privacy.access.errors import NoPurpose
from privacy.access.forms import StrictModelForm
from privacy.access.gate import open_access
from privacy.declarations import masks
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.vault.errors import SealedValueMisused, Unreadable
from privacy.vault.fields import personal
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord
from tests.privacy.vault.fixtures import entries, stored_token, write_token
from tests.privacy.vault.records import Letter, Note, new_customer, person

FIELDS = ["name", "email", "street", "body"]


def reread(note):
    return Note.objects.get(pk=note.pk)


# In: what is written is sealed


@pytest.mark.promise("PROTECT-1")
@pytest.mark.parametrize("field", FIELDS)
def test_save_stores_nothing_in_clear(note, field):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {field} FROM test_note WHERE id = %s", [note.pk])
        token = bytes(cursor.fetchone()[0])

    for word in (b"Ada", b"Lovelace", b"ada@", b"example", b"Main", b"hello"):
        assert word not in token
    assert token[0] == 2


def test_save_and_open_give_the_value_back(note, own):
    with own() as grant:
        opened = [grant.open(getattr(note, field)) for field in FIELDS]

    assert opened == ["Ada Lovelace", "ada@example.org", "Main Street 1", "hello"]


@pytest.mark.parametrize("name", ["أحمد بن محمد", "Łukasz Żółć", "王小明", "👩‍👩‍👧 family", "", "x" * 40, "line\nbreak\x00zero"])
def test_any_text_comes_back_unchanged(subject, work, own, name):
    with own():
        note = Note.objects.create(subject=subject, name=name)

    with own() as grant:
        assert grant.open(reread(note).name) == name


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("write", [
    lambda note: note.save(),
    lambda note: note.save(update_fields=["name"]),
    lambda note: Note.objects.bulk_update([note], ["name"]),
    lambda note: Note._base_manager.bulk_update([note], ["name"]),
])  # fmt: skip
def test_a_change_without_a_purpose_is_refused_and_changes_nothing(note, write):
    before = stored_token(note, "name")
    note.name = "Somebody Else"

    with pytest.raises((NoPurpose, SealedValueMisused)), transaction.atomic():
        write(note)

    assert stored_token(note, "name") == before


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("make", [
    lambda notes: notes[0].save(),
    lambda notes: Note.objects.bulk_create(notes),
    lambda notes: Note._base_manager.bulk_create(notes),
    lambda notes: Note.objects.update_or_create(code="1", defaults={"subject": notes[0].subject, "name": "A"}),
    lambda notes: Note.objects.get_or_create(code="1", defaults={"subject": notes[0].subject, "name": "A"}),
])  # fmt: skip
def test_a_new_row_without_a_purpose_is_refused(subject, work, make):
    with pytest.raises(NoPurpose, match=r"privacy\.note\.name"), transaction.atomic():
        make([Note(subject=subject, name="A"), Note(subject=subject, name="B")])

    assert Note.objects.count() == 0


def test_a_left_out_optional_field_is_empty_text_or_none(subject, work, own):
    with own():
        note = Note.objects.create(subject=subject, name="Ada")

    note = reread(note)
    assert note.email is None
    with own() as grant:
        assert (grant.open(note.street), grant.open(note.email)) == ("", "")


def test_empty_text_is_sealed_like_any_text_and_none_stays_none(subject, work, own):
    with own():
        note = Note.objects.create(subject=subject, name="", email=None)

    assert len(stored_token(note, "name")) == 1 + 16 + 12 + 16
    assert reread(note).email is None
    assert Note.objects.filter(email__isnull=True).get() == note


def test_a_record_without_a_subject_is_refused(work, own):
    with own(), pytest.raises((SealedValueMisused, NoPurpose)), transaction.atomic():
        Note(name="Ada").save()


def test_bulk_create_seals_each_row_for_itself(subject, work, own):
    with own():
        Note.objects.bulk_create([Note(subject=subject, name=f"name {n}") for n in range(5)])

    notes = list(Note.objects.order_by("id"))
    with own() as grant:
        assert [grant.open(note.name) for note in notes] == [f"name {n}" for n in range(5)]
    assert len({note.name.token for note in notes}) == 5


def test_bulk_update_seals_each_row_for_itself(subject, work, own):
    with own():
        Note.objects.bulk_create([Note(subject=subject, name=f"name {n}") for n in range(5)])
        notes = list(Note.objects.order_by("id"))
        for note in notes[:3]:
            note.name = f"new {note.pk}"
        Note.objects.bulk_update(notes, ["name"])

    with own() as grant:
        assert [grant.open(note.name) for note in Note.objects.order_by("id")] == [f"new {note.pk}" for note in notes[:3]] + [
            "name 3",
            "name 4",
        ]


def test_update_or_create_writes_only_what_it_was_given(note, own):
    before = {field: stored_token(note, field) for field in FIELDS}

    with own():
        Note.objects.update_or_create(pk=note.pk, defaults={"street": "Side Street 2"})

    after = {field: stored_token(note, field) for field in FIELDS}
    assert {field for field in FIELDS if before[field] != after[field]} == {"street"}


@pytest.mark.promise("COLLECT-3")
def test_emptying_a_field_is_a_write_that_needs_a_purpose_and_leaves_an_entry(note, subject, own):
    note.email = None

    with pytest.raises(NoPurpose), transaction.atomic():
        note.save()
    with pytest.raises(SealedValueMisused), transaction.atomic():
        Note.objects.filter(pk=note.pk).update(email=None)
    assert Note.objects.get(pk=note.pk).email is not None

    before = len(entries(Event.DATA_COLLECTED, subject))
    with own():
        note.save()
    assert Note.objects.get(pk=note.pk).email is None
    assert len(entries(Event.DATA_COLLECTED, subject)) == before + 1
    note.save()


def test_a_save_without_changes_seals_nothing_again(note):
    before = {field: stored_token(note, field) for field in FIELDS}
    note.code = "changed"

    note.save()

    assert {field: stored_token(note, field) for field in FIELDS} == before
    assert reread(note).code == "changed"


def test_a_save_seals_only_the_changed_field_again(note, own):
    before = {field: stored_token(note, field) for field in FIELDS}

    with own():
        note.name = "Ada King"
        note.save()

    assert {field for field in FIELDS if stored_token(note, field) != before[field]} == {"name"}
    with own() as grant:
        assert grant.open(reread(note).name) == "Ada King"


def test_saving_a_second_time_after_creating_keeps_the_tokens(subject, work, own):
    with own():
        note = Note.objects.create(subject=subject, name="Ada")
    before = stored_token(note, "name")

    note.save()

    assert stored_token(note, "name") == before


def test_update_fields_writes_only_those(note, own):
    with own():
        note.name, note.street = "New", "New"
        note.save(update_fields=["name"])

    with own() as grant:
        assert (grant.open(reread(note).name), grant.open(reread(note).street)) == ("New", "Main Street 1")


def test_update_of_other_fields_works(note):
    assert Note.objects.filter(pk=note.pk).update(code="new") == 1


def test_update_cannot_move_a_row_to_another_person(note):
    other = new_customer()

    with pytest.raises(SealedValueMisused):
        Note.objects.update(subject=other)


def test_saving_cannot_move_a_row_to_another_person(note):
    note.subject = new_customer()

    with pytest.raises(SealedValueMisused):
        note.save()


def test_saving_a_fresh_record_cannot_move_it_to_another_person(subject, work, own):
    with own():
        note = Note.objects.create(subject=subject, name="Ada")
    note.subject = new_customer()

    with pytest.raises(SealedValueMisused):
        note.save()


def test_saving_under_the_id_of_another_row_is_refused(note, subject, own):
    with own():
        other = Note.objects.create(subject=subject, name="Grace")
    before = stored_token(other, "name")
    note.id = other.id

    with pytest.raises(SealedValueMisused):
        note.save()

    assert stored_token(other, "name") == before


def test_text_that_is_no_unicode_is_refused_without_showing_it(subject, work, own):
    with own(), pytest.raises(SealedValueMisused, match=r"privacy\.note\.name") as failure, transaction.atomic():
        Note.objects.create(subject=subject, name="secret \ud800")

    assert "secret" not in repr(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__


# Out: masks, always


@pytest.mark.promise("PROTECT-4")
def test_loading_decrypts_nothing_and_asks_for_no_key(note, django_assert_num_queries):
    with django_assert_num_queries(0, using="vault"):
        assert str(reread(note).name) == masks.name


@pytest.mark.promise("PROTECT-4")
def test_a_mask_tells_nothing_about_the_length(subject, work, own):
    with own():
        short, long = (Note.objects.create(subject=subject, name=name) for name in ("A", "A" * 40))

    assert str(reread(short).name) == str(reread(long).name) == masks.name


@pytest.mark.parametrize("rows", [
    lambda: [row["name"] for row in Note.objects.values("name")],
    lambda: [name for (name,) in Note.objects.values_list("name")],
    lambda: list(Note.objects.values_list("name", flat=True)),
    lambda: [row.name for row in Note.objects.values_list("name", named=True)],
    lambda: [note.also for note in Note.objects.annotate(also=F("name"))],
    lambda: list(Note.objects.values_list(F("name"), flat=True)),
])  # fmt: skip
@pytest.mark.promise("PROTECT-4")
def test_values_outside_their_row_print_the_mask_and_do_not_open(note, own, rows):
    (value,) = rows()

    assert str(value) == masks.name
    with own() as grant, pytest.raises(SealedValueMisused, match=r"privacy\.note\.name"):
        grant.open(value)


def test_deferred_fields_are_fetched_closed_and_open(note, own):
    for records in (Note.objects.defer("name"), Note.objects.only("code"), Note.objects.only("name"), Note.objects.defer("subject")):
        record = records.get()

        assert str(record.name) == masks.name
        with own() as grant:
            assert grant.open(record.name) == "Ada Lovelace"


def test_saving_a_deferred_record_leaves_what_was_not_loaded(note, own):
    record = Note.objects.only("code").get()
    record.code = "x"

    record.save()

    with own() as grant:
        assert grant.open(reread(note).name) == "Ada Lovelace"


def test_raw_rows_are_closed_and_open(note, own):
    (record,) = Note.objects.raw("SELECT * FROM test_note")

    assert str(record.name) == masks.name
    with own() as grant:
        assert grant.open(record.name) == "Ada Lovelace"


def test_refresh_from_db_brings_the_stored_value_and_drops_the_draft(note, own):
    note.name = "Not Saved"

    note.refresh_from_db()

    with own() as grant:
        assert grant.open(note.name) == "Ada Lovelace"


def test_refresh_from_db_of_one_field(note, own):
    with own():
        other = reread(note)
        other.name = "Changed"
        other.save()

    note.refresh_from_db(fields=["name"])

    with own() as grant:
        assert grant.open(note.name) == "Changed"


@pytest.mark.promise("PROTECT-1")
@pytest.mark.parametrize("reset", [{"pk": None}, {"pk": uuid7()}])
def test_copying_a_record_into_a_new_row_is_refused(note, reset, own):
    note.pk = reset["pk"]
    note._state.adding = True

    with own(), pytest.raises(SealedValueMisused, match=r"privacy\.note\.name|privacy\.Note"), transaction.atomic():
        note.save()


def test_assigning_the_value_of_another_record_is_refused(note, subject, own):
    with own():
        other = Note.objects.create(subject=subject, name="Grace")

    with pytest.raises(SealedValueMisused, match=r"privacy\.note\.name"):
        other.name = note.name
    with own(), pytest.raises(SealedValueMisused, match=r"privacy\.note\.name"), transaction.atomic():
        Note.objects.create(subject=subject, name=note.name)


def test_equality_never_compares_contents(subject, work, own):
    with own():
        one, two = (reread(Note.objects.create(subject=subject, name="Ada")) for _ in range(2))

    assert one.name != two.name
    assert one.name != "Ada"
    assert one.name == reread(one).name
    assert len({one.name, two.name, reread(one).name}) == 2


# Forms and validation


def note_form(*args, **kwargs):
    return modelform_factory(Note, form=StrictModelForm, fields=["name", "email", "street"])(*args, **kwargs)


@pytest.mark.promise("PROTECT-4")
def test_a_form_shows_masks(note):
    html = str(note_form(instance=note))

    assert "Ada" not in html
    assert "ada@" not in html
    assert masks.name in html


@pytest.mark.promise("PROTECT-4")
def test_a_form_never_writes_a_mask_back(note, own):
    before = {field: stored_token(note, field) for field in FIELDS}
    form = note_form({"name": masks.name, "email": "", "street": masks.address}, instance=note)

    assert form.is_valid(), form.errors
    with own():
        form.save()

    assert {field: stored_token(note, field) for field in ("name", "street")} == {field: before[field] for field in ("name", "street")}


def test_a_form_writes_what_was_typed(note, own):
    form = note_form({"name": "Ada King", "email": "new@example.org", "street": masks.address}, instance=note)

    assert form.is_valid(), form.errors
    with own():
        form.save()

    with own() as grant:
        assert [grant.open(getattr(reread(note), field)) for field in ("name", "email", "street")] == [
            "Ada King",
            "new@example.org",
            "Main Street 1",
        ]


@pytest.mark.promise("COLLECT-3")
def test_a_form_refuses_fields_that_it_did_not_ask_for(note):
    form = note_form({"name": "Ada", "birthday": "1815-12-10"}, instance=note)

    assert not form.is_valid()
    assert "birthday" not in str(form.errors)


@pytest.mark.promise("COLLECT-3")
def test_a_form_refuses_files_that_it_did_not_ask_for(note):
    form = note_form({"name": "Ada"}, {"passport": object()}, instance=note)

    assert not form.is_valid()


@pytest.mark.parametrize("errors", [{"name": "x" * 41}, {"email": "not an address"}, {"name": ""}, {"email": "a" * 60 + "@example.org"}])
def test_a_form_validates_as_the_plain_field_would(note, errors):
    form = note_form({"name": "Ada", "email": "", **errors}, instance=note)

    assert set(form.errors) == set(errors)


@pytest.mark.parametrize(("field", "value"), [("name", "x" * 41), ("name", ""), ("email", "not an address")])
def test_full_clean_validates_drafts(subject, field, value):
    note = Note(**{"subject": subject, "name": "Ada", field: value})

    with pytest.raises(ValidationError) as failure:
        note.full_clean()

    assert set(failure.value.message_dict) == {field}


def test_full_clean_accepts_good_drafts_and_leaves_stored_values(note, own):
    note.name = "  Ada King"

    note.full_clean()

    with own():
        note.save()
    with own() as grant:
        assert [grant.open(getattr(reread(note), field)) for field in ("name", "email")] == ["  Ada King", "ada@example.org"]


# Fixtures and migrations


@pytest.mark.promise("PROTECT-1")
@pytest.mark.parametrize("kind", ["json", "python", "xml"])
def test_a_dump_holds_tokens_and_loads_back(note, own, kind, monkeypatch):
    dumped = serializers.serialize(kind, [note])
    assert "Ada" not in str(dumped)
    Note.objects.all().delete()

    loaded = note_from_dump(dumped, kind, monkeypatch)
    loaded.save()

    with own() as grant:
        assert [grant.open(getattr(reread(note), field)) for field in FIELDS] == [
            "Ada Lovelace",
            "ada@example.org",
            "Main Street 1",
            "hello",
        ]


def note_from_dump(dumped, kind, monkeypatch):
    """The product's registry does not know the tests' model, so that deserializers are told."""
    monkeypatch.setattr(python.Deserializer, "_get_model_from_node", staticmethod(lambda name: Note))
    kinds = {"model": Note, "to": Subject}
    monkeypatch.setattr(xml_serializer.Deserializer, "_get_model_from_node", lambda self, node, attribute: kinds[attribute])
    (loaded,) = serializers.deserialize(kind, dumped)
    return loaded


@pytest.mark.promise("PROTECT-1")
def test_a_fixture_in_clear_is_refused(subject, work):
    row = {"model": "privacy.note", "pk": str(uuid7()), "fields": {"subject": str(subject.pk), "name": "Ada", "street": "", "body": ""}}

    note = Note(id=row["pk"], subject=subject, name="Ada")
    with pytest.raises((SealedValueMisused, NoPurpose)), transaction.atomic():
        note.save_base(raw=True)


@pytest.mark.promise("COLLECT-2")
def test_a_migration_knows_nothing_of_label_category_or_mask():
    field = Note._meta.get_field("name")

    name, path, args, kwargs = field.deconstruct()

    assert (name, path, args, kwargs) == ("name", "privacy.vault.fields.SealedField", [], {})
    assert Note._meta.get_field("email").deconstruct()[3] == {"null": True}
    assert MigrationWriter.serialize(field)[0] == "privacy.vault.fields.SealedField()"


def test_the_column_is_bytes(note):
    assert Note._meta.get_field("name").db_type(connection) == "bytea"


@pytest.mark.parametrize("options", [{"unique": True}, {"db_index": True}, {"primary_key": True}])
def test_options_that_a_sealed_column_cannot_keep_are_refused(options):
    with pytest.raises(SealedValueMisused):
        personal(models.CharField(max_length=10, **options), Category.ACCOUNT)


# Tokens bind to their place


def places(note, subject, own):
    """Where the token of `note.name` could be put, each different in one thing alone; and the person who then has it."""
    with own():
        row = Note.objects.create(subject=subject, name="Grace", street="Elsewhere")
        twin = Letter.objects.create(id=note.pk, subject=subject, name="Grace")
    other = new_customer()
    with open_access(by=person(other), purpose=Purpose.RIGHTS, subject=other, writes=Event.DATA_COLLECTED):
        stranger = Note.objects.create(subject=other, name="Mallory")
    return {
        "row": (row, "name", subject),
        "column": (note, "email", subject),
        "model": (twin, "name", subject),
        "category": (note, "street", subject),
        "person": (stranger, "name", other),
    }


@pytest.mark.promise("PROTECT-1")
@pytest.mark.parametrize("place", ["row", "column", "model", "category", "person"])
def test_a_token_moved_elsewhere_never_opens(note, subject, own, place):
    target, column, owner = places(note, subject, own)[place]
    write_token(target, column, stored_token(note, "name"))

    record = type(target).objects.get(pk=target.pk)

    with open_access(by=person(owner), purpose=Purpose.RIGHTS, subject=owner) as grant, pytest.raises(Unreadable):
        grant.open(getattr(record, column))


@pytest.mark.promise("PROTECT-1")
@pytest.mark.parametrize("place", ["row", "column", "model", "category", "person"])
def test_nor_does_it_under_the_name_of_the_key_that_would_open_there(note, subject, own, place):
    target, column, owner = places(note, subject, own)[place]
    token = stored_token(note, "name")
    write_token(target, column, stored_token(target, column)[:17] + token[17:])

    record = type(target).objects.get(pk=target.pk)

    with open_access(by=person(owner), purpose=Purpose.RIGHTS, subject=owner) as grant, pytest.raises(Unreadable):
        grant.open(getattr(record, column))


@pytest.mark.promise("PROTECT-1")
def test_a_row_given_to_another_person_never_opens(note, subject):
    """The person who is given somebody's row, tokens and all, reads nothing of it."""
    thief = new_customer()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE test_note SET subject_id = %s WHERE id = %s", [thief.pk, note.pk])
    with open_access(by=person(thief), purpose=Purpose.RIGHTS, subject=thief, writes=Event.DATA_COLLECTED) as grant:
        Note.objects.create(subject=thief, name="own", street="own", body="own")
        for field in FIELDS:
            with pytest.raises(Unreadable):
                grant.open(getattr(reread(note), field))


@pytest.mark.promise("PROTECT-1")
def test_a_flipped_bit_in_any_byte_never_opens_and_never_crashes(note, own):
    token = stored_token(note, "name")

    with own() as grant:
        for place in range(len(token)):
            for bit in (0x01, 0x80):
                damaged = bytearray(token)
                damaged[place] ^= bit
                write_token(note, "name", bytes(damaged))
                with pytest.raises(Unreadable, match=r"privacy\.note\.name"):
                    grant.open(reread(note).name)


@pytest.mark.promise("PROTECT-1")
def test_a_token_cut_short_or_made_longer_never_opens_and_never_crashes(note, own):
    token = stored_token(note, "name")

    with own() as grant:
        for damaged in [token[:length] for length in range(len(token))] + [token + b"\x00", token + bytes(2**20)]:
            write_token(note, "name", damaged)
            with pytest.raises(Unreadable):
                grant.open(reread(note).name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(max_size=80))
def test_garbage_in_the_column_never_crashes(note, own, garbage):
    write_token(note, "name", garbage)

    with own() as grant, pytest.raises(Unreadable):
        grant.open(reread(note).name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8"), max_size=200))
def test_every_text_survives_the_round_trip(subject, work, own, text):
    with own() as grant:
        note = Note.objects.create(subject=subject, name="n", body=text)

        assert grant.open(reread(note).body) == text


def test_the_same_value_is_sealed_differently_each_time(subject, work, own):
    with own():
        tokens = {stored_token(Note.objects.create(subject=subject, name="Ada"), "name") for _ in range(20)}

    assert len(tokens) == 20


def test_a_lifetime_is_declared_and_counts_from_its_start(note):
    start = timezone.now()

    assert Note.lifetime.leaves_at(note) is None
    note.written_at = start
    assert Note.lifetime.leaves_at(note) == start + timedelta(days=1)
    assert issubclass(Note, PersonalRecord)
