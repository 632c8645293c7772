"""No purpose, no data; no entry, no data."""

import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.template import Context, Template
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from audit.record import Reference
from privacy.access import errors, gate
from privacy.access.gate import open_access, open_for_unit, unit_of_work
from privacy.access.models import Opening
from privacy.consent.actions import give_consent, withdraw_consent
from privacy.declarations.categories import CATEGORY_SCOPES, Category
from privacy.declarations.purposes import PURPOSES, Ground, Purpose
from privacy.policy.models import PolicyVersion
from privacy.policy.roles import ANONYMOUS, Actor, Role
from privacy.vault import keys
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from tests.privacy.vault.fixtures import entries
from tests.privacy.vault.records import Letter, Note, any_case, new_customer, person, staff

JOB = Actor.job("tests")


class Undone(Exception):
    """Rolls something back."""


def forbid_entries(owner_connection, event):
    """The database refuses entries of this kind from now on (committed)."""
    with owner_connection("default") as owner, owner.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no entry'; END $$;"
            f"CREATE TRIGGER no_entry BEFORE INSERT ON audit_entry FOR EACH ROW WHEN (NEW.event = '{event}') EXECUTE FUNCTION no_entry()"
        )


# The entry comes first


@pytest.mark.promise("USE-3")
def test_opening_writes_one_entry_per_category_before_the_value(note, subject, own):
    case = Reference("orders.parcel", uuid7())

    with own(Purpose.RIGHTS, case=case) as grant:
        grant.open(note.name)
        first = entries(Event.DATA_OPENED, subject)
        grant.open(note.email)
        grant.open(note.street)

    opened = entries(Event.DATA_OPENED, subject)
    assert len(first) == 1
    assert [(entry.categories, entry.purpose, entry.actor_id, entry.case_id) for entry in opened] == [
        (["account"], "rights", subject.pk, case.id), (["delivery"], "rights", subject.pk, case.id),
    ]  # fmt: skip
    assert [entry.fields for entry in opened] == [["privacy.note.email", "privacy.note.name"], ["privacy.note.street"]]


@pytest.mark.promise("USE-3")
def test_a_mask_writes_nothing(note, subject, own):
    with own():
        str(note.name)

    assert entries(Event.DATA_OPENED, subject) == []


@pytest.mark.promise("USE-3")
def test_writing_records_the_fields_collected_once(subject, own, work):
    with own():
        Note.objects.create(subject=subject, name="Ada", email="ada@example.org", street="Main Street")

    collected = entries(Event.DATA_COLLECTED, subject)
    assert {tuple(entry.categories): entry.fields for entry in collected} == {
        ("account",): ["privacy.note.email", "privacy.note.name"],
        ("delivery",): ["privacy.note.street"],
        ("interaction",): ["privacy.note.body"],
    }
    assert "Ada" not in str([vars(entry) for entry in collected])


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("USE-3")
def test_when_the_entry_cannot_be_written_nothing_opens(policy, note_tables, owner_connection):
    with unit_of_work():
        subject = new_customer()
        with open_access(by=person(subject), purpose=Purpose.RIGHTS, subject=subject, writes=Event.DATA_COLLECTED):
            note = Note.objects.create(subject=subject, name="Ada")
    forbid_entries(owner_connection, Event.DATA_OPENED)
    opened = None

    with pytest.raises(DatabaseError), unit_of_work(), open_access(by=person(subject), purpose=Purpose.RIGHTS, subject=subject) as grant:
        opened = grant.open(Note.objects.get(pk=note.pk).name)

    assert opened is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("USE-3")
def test_when_the_entry_cannot_be_written_nothing_is_collected(policy, note_tables, owner_connection):
    with unit_of_work():
        subject = new_customer()
    forbid_entries(owner_connection, Event.DATA_COLLECTED)

    with (
        pytest.raises(DatabaseError),
        unit_of_work(),
        open_access(by=person(subject), purpose=Purpose.RIGHTS, subject=subject, writes=Event.DATA_COLLECTED),
    ):
        Note.objects.create(subject=subject, name="Ada")

    assert Note.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("USE-3")
def test_when_the_reason_cannot_be_kept_nothing_opens(policy, note_tables, owner_connection):
    with unit_of_work():
        subject = new_customer()
        with open_access(by=JOB, purpose=Purpose.ORDER, subject=subject, writes=Event.DATA_COLLECTED):
            letter = Letter.objects.create(subject=subject, name="Ada")
    with owner_connection("default") as owner, owner.cursor() as cursor:
        cursor.execute("REVOKE INSERT ON privacy_opening FROM market_worker")
    opened = None

    with (
        pytest.raises(DatabaseError),
        unit_of_work(),
        open_access(by=staff(), purpose=Purpose.ORDER, subject=subject, reason="order", case=any_case()) as grant,
    ):
        opened = grant.open(Letter.objects.get(pk=letter.pk).name)

    assert opened is None


@pytest.mark.promise("USE-3")
def test_a_savepoint_rolled_back_does_not_take_the_entry_of_a_value_that_is_out(note, subject, own, db):
    """The page goes on with the value, and so does the log."""
    with own() as grant:
        try:
            with transaction.atomic():
                value = grant.open(note.name)
                raise Undone
        except Undone:
            pass
        assert value == "Ada Lovelace"
        assert entries(Event.DATA_OPENED, subject) == []
        again = grant.open(note.name)

    assert again == "Ada Lovelace"


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("USE-3")
@pytest.mark.parametrize("actor", ["person", "staff"])
@pytest.mark.parametrize("how", ["in a savepoint", "in the block"])
def test_a_value_that_got_out_of_a_rolled_back_block_is_entered_when_the_unit_ends(policy, note_tables, actor, how):
    with unit_of_work():
        subject = new_customer()
        with open_access(by=JOB, purpose=Purpose.ORDER, subject=subject, writes=Event.DATA_COLLECTED):
            Letter.objects.create(subject=subject, name="Ada")
    by = person(subject) if actor == "person" else staff()

    with unit_of_work():
        letter = Letter.objects.get()
        try:
            if how == "in the block":
                with open_access(by=by, purpose=Purpose.ORDER, subject=subject, reason="order", case=any_case()) as grant:
                    value = grant.open(letter.name)
                    raise Undone
            grant = open_for_unit(by=by, purpose=Purpose.ORDER, subject=subject, reason="order", case=any_case())
            with transaction.atomic():
                value = grant.open(letter.name)
                raise Undone
        except Undone:
            pass

    assert value == "Ada"
    assert len(entries(Event.DATA_OPENED, subject)) == 1
    assert Opening.objects.count() == (1 if actor == "staff" else 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("USE-3")
def test_a_unit_that_fails_leaves_no_entry_for_a_value_that_did_not_leave(policy, note_tables):
    with unit_of_work():
        subject = new_customer()
        with open_access(by=JOB, purpose=Purpose.ORDER, subject=subject, writes=Event.DATA_COLLECTED):
            Letter.objects.create(subject=subject, name="Ada")

    with pytest.raises(Undone), unit_of_work(), open_access(by=JOB, purpose=Purpose.ORDER, subject=subject) as grant:
        grant.open(Letter.objects.get().name)
        raise Undone

    assert entries(Event.DATA_OPENED, subject) == []


# The bounds of a grant


@pytest.mark.promise("USE-2")
def test_without_a_unit_of_work_nothing_opens(policy):
    with pytest.raises(errors.NoUnitOfWork), open_access(by=JOB, purpose=Purpose.ORDER):
        pass


@pytest.mark.django_db(transaction=True)
@pytest.mark.promise("USE-3")
def test_a_unit_of_work_inside_a_transaction_that_may_roll_back_is_refused():
    """Its refusals would be lost."""
    with pytest.raises(RuntimeError), transaction.atomic(), unit_of_work():
        pass


@pytest.mark.promise("USE-2")
def test_a_grant_ends_with_its_block(note, own):
    with own() as grant:
        pass

    with pytest.raises(errors.GrantClosed):
        grant.open(note.name)


@pytest.mark.promise("USE-2")
def test_a_grant_is_no_use_for_writing_after_its_end(subject, own, work):
    with own():
        pass

    with pytest.raises(errors.NoPurpose), transaction.atomic():
        Note.objects.create(subject=subject, name="Ada")


@pytest.mark.promise("USE-2")
def test_a_grant_ends_when_its_block_fails(note, own):
    with pytest.raises(Undone), own() as grant:
        raise Undone

    with pytest.raises(errors.GrantClosed):
        grant.open(note.name)


@pytest.mark.promise("USE-2")
def test_a_grant_for_the_unit_ends_with_the_unit(note_tables, policy, db):
    with unit_of_work():
        subject = new_customer()
        grant = open_for_unit(by=person(subject), purpose=Purpose.RIGHTS, subject=subject, writes=Event.DATA_COLLECTED)
        note = Note.objects.create(subject=subject, name="Ada")
        assert grant.open(note.name) == "Ada"

    with pytest.raises(errors.GrantClosed):
        grant.open(note.name)
    with pytest.raises(errors.NoPurpose), unit_of_work():
        Note.objects.create(subject=subject, name="Ada")


@pytest.mark.promise("USE-2")
def test_a_grant_never_reaches_another_thread(note_tables, policy, subject, own, work):
    failures = []

    def write():
        try:
            Note(subject=subject, name="Ada").save()
        except Exception as error:
            failures.append(type(error))
        finally:
            connections.close_all()

    with own():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()

    assert failures == [errors.NoPurpose]


@pytest.mark.promise("USE-2")
def test_the_inner_grant_that_covers_the_category_is_the_one_that_collects(subject, work):
    by = person(subject)

    with (
        open_access(by=by, purpose=Purpose.ACCOUNT, subject=subject, writes=Event.DATA_COLLECTED),
        open_access(by=by, purpose=Purpose.DISPATCH, subject=subject, writes=Event.DATA_COLLECTED),
    ):
        Letter.objects.create(subject=subject, name="Ada")

    assert [entry.purpose for entry in entries(Event.DATA_COLLECTED, subject)] == ["account"]


@pytest.mark.promise("COLLECT-3")
def test_a_category_that_the_purpose_does_not_need_is_not_collected(subject, work):
    with (
        open_access(by=person(subject), purpose=Purpose.DISPATCH, subject=subject, writes=Event.DATA_COLLECTED),
        pytest.raises(errors.NoPurpose),
        transaction.atomic(),
    ):
        Letter.objects.create(subject=subject, name="Ada")


@pytest.mark.promise("COLLECT-3")
def test_a_grant_for_one_person_does_not_write_about_another(subject, own, work):
    other = new_customer()

    with own(), pytest.raises(errors.NoPurpose), transaction.atomic():
        Note.objects.create(subject=other, name="Ada")


def test_an_empty_field_opens_as_empty_text_without_an_entry(subject, own, work):
    with own():
        note = Note.objects.create(subject=subject, name="Ada")

    with own() as grant:
        assert grant.open(note.email) == ""
    assert entries(Event.DATA_OPENED, subject) == []


def test_a_grant_prints_nobody(subject, own, work):
    with own(reason="Ada asked") as grant:
        assert repr(grant) == "<Grant rights by customer>"


# Refusals


def refused(attempt, code, subject_id):
    """The attempt is refused in a unit of work of its own, and leaves exactly one entry."""
    before = Entry.objects.filter(event=Event.DATA_REFUSED).count()

    with pytest.raises(errors.AccessDenied) as refusal, unit_of_work():
        attempt()

    entries = list(Entry.objects.filter(event=Event.DATA_REFUSED).order_by("id"))[before:]
    assert refusal.value.code == code
    assert [(entry.outcome, entry.subject_id) for entry in entries] == [(code, subject_id)]


def open_name(letter, **how):
    def attempt():
        with open_access(**how) as grant:
            return grant.open(letter.name)

    return attempt


@pytest.mark.promise("COLLECT-4")
def test_withdrawn_consent_is_refused_at_the_next_read(letter):
    subject = letter.subject
    with unit_of_work():
        withdraw_consent(by=person(subject), subject=subject, purpose=Purpose.ORDER, locale="en")

    refused(open_name(letter, by=JOB, purpose=Purpose.ORDER, subject=subject), "ground_missing", subject.pk)
    refused(open_name(letter, by=JOB, purpose=Purpose.ORDER), "ground_missing", subject.pk)


@pytest.mark.promise("RIGHTS-4")
def test_consent_withdrawn_and_given_again_opens_again(letter):
    subject = letter.subject
    with unit_of_work():
        withdraw_consent(by=person(subject), subject=subject, purpose=Purpose.ORDER, locale="en")
        give_consent(by=person(subject), subject=subject, purpose=Purpose.ORDER, locale="en")

    with unit_of_work():
        assert open_name(letter, by=JOB, purpose=Purpose.ORDER, subject=subject)() == "Ada Lovelace"


@pytest.mark.promise("COLLECT-3")
def test_without_consent_nothing_is_collected(policy, note_tables, db):
    with unit_of_work():
        subject = Subject.objects.create()

    def collect():
        with open_access(by=person(subject), purpose=Purpose.ACCOUNT, subject=subject, writes=Event.DATA_COLLECTED):
            Letter.objects.create(subject=subject, name="Ada")

    refused(collect, "ground_missing", subject.pk)
    assert Letter.objects.count() == 0


@pytest.mark.promise("COLLECT-3")
def test_an_open_grant_for_whoever_comes_collects_only_from_those_who_agreed(letter):
    with unit_of_work():
        stranger = Subject.objects.create()

    def collect():
        with open_access(by=JOB, purpose=Purpose.ORDER, writes=Event.DATA_COLLECTED):
            Letter.objects.create(subject=stranger, name="Ada")

    refused(collect, "ground_missing", stranger.pk)


@pytest.mark.promise("PROTECT-2")
def test_a_customer_opens_nobody_elses_data(letter):
    thief = uuid7()
    by = Actor(Role.CUSTOMER, id=thief)

    refused(open_name(letter, by=by, purpose=Purpose.RIGHTS, subject=letter.subject), "role_denied", letter.subject_id)
    refused(open_name(letter, by=by, purpose=Purpose.RIGHTS), "role_denied", None)
    refused(open_name(letter, by=ANONYMOUS, purpose=Purpose.RIGHTS, subject=letter.subject), "role_denied", letter.subject_id)


@pytest.mark.promise("PROTECT-2")
def test_a_customers_own_grant_opens_nobody_elses_value(letter):
    with unit_of_work():
        thief = new_customer()

    refused(open_name(letter, by=person(thief), purpose=Purpose.RIGHTS, subject=thief), "other_subject", letter.subject_id)


@pytest.mark.promise("USE-2")
def test_a_grant_for_one_person_opens_nobody_elses_value(letter):
    with unit_of_work():
        other = new_customer()

    refused(open_name(letter, by=JOB, purpose=Purpose.ORDER, subject=other), "other_subject", letter.subject_id)


@pytest.mark.promise("PROTECT-3")
def test_a_category_outside_the_role_is_refused(letter):
    by = staff(Role.FULFILLMENT)

    refused(
        open_name(letter, by=by, purpose=Purpose.DISPATCH, subject=letter.subject, reason="parcel", case=any_case()),
        "category_denied",
        letter.subject_id,
    )

    assert Entry.objects.get(event=Event.DATA_REFUSED).categories == ["account"]


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("reason", ["", "   ", "\n"])
@pytest.mark.parametrize("role", [Role.SUPPORT])
def test_staff_without_a_reason_are_refused(letter, role, reason):
    refused(
        open_name(letter, by=staff(role), purpose=Purpose.ORDER, subject=letter.subject, reason=reason), "reason_missing", letter.subject_id
    )


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
@pytest.mark.parametrize("purpose", Purpose)
def test_administrators_and_auditors_open_nothing(letter, role, purpose):
    refused(open_name(letter, by=staff(role), purpose=purpose, subject=letter.subject, reason="because"), "role_denied", letter.subject_id)


@pytest.mark.promise("RIGHTS-3")
def test_an_erased_person_is_refused_even_while_a_key_is_left(letter):
    Subject.objects.filter(pk=letter.subject_id).update(erased_at=timezone.now())

    refused(open_name(letter, by=JOB, purpose=Purpose.ORDER, subject=letter.subject), "subject_erased", letter.subject_id)
    refused(open_name(letter, by=JOB, purpose=Purpose.ORDER), "subject_erased", letter.subject_id)


@pytest.mark.promise("CHANGE-2")
def test_a_purpose_outside_the_policy_in_force_is_refused(letter, owner_connection):
    without = [purpose.value for purpose in Purpose if purpose != Purpose.IMPROVEMENT]
    number = PolicyVersion.objects.order_by("-number").first().number + 1
    now = timezone.now()
    PolicyVersion.objects.create(number=number, purposes=without, announced_at=now - timezone.timedelta(days=31), effective_at=now)

    def attempt():
        with open_access(by=JOB, purpose=Purpose.IMPROVEMENT, subject=letter.subject):
            pass

    refused(attempt, "purpose_not_in_force", letter.subject_id)


@pytest.mark.promise("USE-1")
@pytest.mark.parametrize("purpose", [purpose for purpose, rule in PURPOSES.items() if rule.ground == Ground.REQUEST])
def test_a_request_purpose_needs_a_request_unless_the_person_is_here(letter, purpose, monkeypatch):
    monkeypatch.setattr(gate, "_grounds", {})
    monkeypatch.setattr(gate, "_access_checks", [])
    by = staff(Role.PRIVACY_OFFICER if purpose == Purpose.RIGHTS else Role.SUPPORT)
    how = {"by": by, "purpose": purpose, "subject": letter.subject, "reason": "asked", "case": any_case()}

    refused(open_name(letter, **how), "ground_missing", letter.subject_id)

    gate.register_ground(purpose, lambda subject_ids: set(subject_ids))
    with unit_of_work():
        assert open_name(letter, **how)() == "Ada Lovelace"
        assert open_name(letter, by=person(letter.subject), purpose=purpose, subject=letter.subject)() == "Ada Lovelace"


@pytest.mark.promise("USE-1")
def test_a_check_of_an_upper_room_refuses(letter, monkeypatch):
    class Restricted(errors.AccessDenied):
        code = "restricted"

    def check(actor, purpose, subject_ids):
        raise Restricted

    monkeypatch.setattr(gate, "_access_checks", [])
    gate.register_access_check(check)

    refused(open_name(letter, by=JOB, purpose=Purpose.ORDER, subject=letter.subject), "restricted", letter.subject_id)

    entry = Entry.objects.get(event=Event.DATA_REFUSED)
    assert (entry.purpose, entry.categories) == ("order", ["account", "purchase"]), "all that the purpose covers"


@pytest.mark.promise("USE-3")
def test_a_refusal_is_recorded_once_though_everything_is_rolled_back(letter):
    with pytest.raises(errors.AccessDenied), unit_of_work():
        Subject.objects.create(id=(made := uuid7()))
        open_name(letter, by=staff(Role.AUDITOR), purpose=Purpose.ORDER, subject=letter.subject, reason="look")()

    assert not Subject.objects.filter(pk=made).exists()
    assert Entry.objects.filter(event=Event.DATA_REFUSED, subject_id=letter.subject_id).count() == 1


@pytest.mark.promise("USE-3")
def test_a_refusal_that_was_caught_is_recorded_once(letter):
    with unit_of_work():
        with pytest.raises(errors.AccessDenied):
            open_name(letter, by=staff(Role.AUDITOR), purpose=Purpose.ORDER, subject=letter.subject, reason="look")()
        Subject.objects.create(id=(made := uuid7()))

    assert Subject.objects.filter(pk=made).exists()
    assert Entry.objects.filter(event=Event.DATA_REFUSED, subject_id=letter.subject_id).count() == 1


@pytest.mark.promise("USE-3")
def test_a_refusal_in_a_nested_unit_is_recorded_when_the_outermost_ends(letter):
    with pytest.raises(errors.AccessDenied), unit_of_work(), unit_of_work():
        open_name(letter, by=staff(Role.AUDITOR), purpose=Purpose.ORDER, subject=letter.subject, reason="look")()

    assert Entry.objects.filter(event=Event.DATA_REFUSED, subject_id=letter.subject_id).count() == 1


# Staff give reasons


@pytest.mark.promise("USE-3")
def test_the_reason_of_staff_is_kept_sealed_and_the_person_can_read_it(letter):
    by = staff()
    with unit_of_work():
        open_name(letter, by=by, purpose=Purpose.ORDER, subject=letter.subject, reason="Ada called about her order", case=any_case())()

    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM privacy_opening")
        assert b"Ada" not in bytes(cursor.fetchone()[0])
    with unit_of_work(), open_access(by=person(letter.subject), purpose=Purpose.RIGHTS, subject=letter.subject) as grant:
        opening = Opening.objects.get()
        assert grant.open(opening.reason) == "Ada called about her order"
    assert (opening.actor_id, opening.role, opening.purpose, opening.categories) == (by.id, "support", "order", ["account"])


@pytest.mark.promise("RIGHTS-8")
def test_staff_open_for_the_law_after_an_erasure(letter, db):
    """The reason cannot be sealed for an erased person any more; the entry and the row remain."""
    subject = letter.subject
    with unit_of_work():
        grant_for_law = {"by": staff(Role.FINANCE), "purpose": Purpose.LEGAL, "subject": subject, "reason": "tax audit", "case": any_case()}
        keys.destroy_keys(subject.pk, CATEGORY_SCOPES)
        Subject.objects.filter(pk=subject.pk).update(erased_at=timezone.now())
        with open_access(**grant_for_law) as grant:
            grant._enter([(subject.pk, _financial_field())])

    assert Opening.objects.get(subject=subject).reason is None
    assert len(entries(Event.DATA_OPENED, subject)) == 1


def _financial_field():
    class InvoiceField:
        category = Category.FINANCIAL
        path = "privacy.invoice.iban"

    return InvoiceField()


def test_a_customer_and_a_job_keep_no_reason(letter):
    with unit_of_work():
        open_name(letter, by=JOB, purpose=Purpose.ORDER, subject=letter.subject)()
        open_name(letter, by=person(letter.subject), purpose=Purpose.RIGHTS, subject=letter.subject)()

    assert Opening.objects.count() == 0


# Lists


@pytest.mark.promise("USE-3")
@pytest.mark.parametrize("by", [JOB, staff()], ids=["job", "staff"])
def test_a_list_of_fifty_takes_as_many_queries_as_a_list_of_five(policy, db, note_tables, by, settings):
    settings.OPENINGS_AN_HOUR = {"support": (100, 100)}
    with unit_of_work():
        people = [new_customer(Purpose.ORDER) for _ in range(50)]
        with open_access(by=JOB, purpose=Purpose.ORDER, writes=Event.DATA_COLLECTED):
            Letter.objects.bulk_create([Letter(subject=subject, name="علي حسن") for subject in people])

    counts = []
    for number in (5, 50):
        keys.cache.clear()
        with unit_of_work(), open_access(by=by, purpose=Purpose.ORDER, reason="list", case=any_case()) as grant:
            letters = list(Letter.objects.all()[:number])
            with CountedQueries() as counted:
                grant.load(letters)
                assert [grant.open(letter.name) for letter in letters] == ["علي حسن"] * number
        counts.append(counted.total)

    assert counts[0] == counts[1]
    assert Entry.objects.filter(event=Event.DATA_OPENED).count() == 55


class CountedQueries:
    """Counts the statements on both databases."""

    def __enter__(self):
        self.logs = []
        for alias in ("default", "vault"):
            connections[alias].force_debug_cursor = True
            self.logs.append((connections[alias], len(connections[alias].queries_log)))
        return self

    def __exit__(self, *error):
        self.total = 0
        for database, start in self.logs:
            self.total += len(database.queries_log) - start
            database.force_debug_cursor = False


def test_a_template_opens_through_a_grant_alone(note, own):
    template = Template("{% load privacy %}{{ note.name }}|{{ note.name|opened:grant }}")

    with own() as grant:
        html = template.render(Context({"note": note, "grant": grant}))

    assert html == "••••• •••••|Ada Lovelace"


def test_what_a_template_opens_is_escaped(subject, own, work):
    with own() as grant:
        note = Note.objects.create(subject=subject, name="<script>")
        html = Template("{% load privacy %}{{ note.name|opened:grant }}").render(Context({"note": note, "grant": grant}))

    assert html == "&lt;script&gt;"
