"""A sample that nobody foresees is judged by somebody else, and the person sees what came of it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.events import Event
from audit.models import Entry
from audit.record import Reference
from privacy.access.cases import require_case
from privacy.access.errors import AccessDenied, CaseNotYours
from privacy.access.gate import open_access, unit_of_work
from privacy.access.models import Opening
from privacy.access.oversight import evidence
from privacy.access.oversight.actions import REVIEWERS, decide_review
from privacy.access.oversight.drawing import draw_emergencies, draw_sample
from privacy.access.oversight.errors import AlreadyDecided, NotOverseer, OwnLook
from privacy.access.oversight.models import OpeningWatch, Review
from privacy.access.oversight.queries import open_reviews, overdue_reviews
from privacy.alerts.models import Alert, AlertKind
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.rights.uses import lines_of, uses_by_others
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from tests.privacy.access.oversight.looks import look, looks
from tests.privacy.vault.records import Letter, any_case, new_customer, person, staff

pytestmark = [pytest.mark.django_db, pytest.mark.promise("USE-3"), pytest.mark.promise("PROTECT-3")]
WATCH = Actor.job("watch")
OFFICER = staff(Role.PRIVACY_OFFICER)
Outcome = Review.Outcome


def draw(number=None, settings=None):
    if number is not None:
        settings.REVIEWS_A_WEEK = number
    with unit_of_work():
        return draw_sample(by=WATCH)


# The lot


def test_the_sample_has_its_size_and_one_event_a_review(settings):
    looks(12, staff())

    assert draw(5, settings) == 5
    assert Review.objects.filter(cause=Review.Cause.SAMPLE).count() == 5
    assert Entry.objects.filter(event=Event.REVIEW_DRAWN).count() == 5


def test_everybody_who_looked_is_drawn_at_least_once(settings):
    agents = [staff() for _ in range(4)]
    looks(30, agents[0])
    for agent in agents[1:]:
        look(agent)

    draw(2, settings)

    assert set(Review.objects.values_list("actor_id", flat=True)) == {agent.id for agent in agents}


def test_a_small_week_is_reviewed_whole(settings):
    looks(3, staff())

    assert draw(25, settings) == 3


def test_drawing_again_draws_nothing_more(settings):
    looks(12, staff())
    draw(5, settings)

    assert draw(5, settings) == 0


def test_the_sample_differs_from_one_draw_to_the_next(settings):
    looks(40, staff())
    drawn = set()
    for _ in range(4):
        draw(5, settings)
        drawn.add(frozenset(Review.objects.values_list("opening_id", flat=True)))
        Review.objects.all().delete()

    assert len(drawn) > 1


@pytest.mark.parametrize("how", [{"ago": timedelta(days=8)}, {"case_label": "privacy.review", "case_id": uuid7()}])
def test_older_looks_and_those_of_reviewers_are_not_drawn(settings, how):
    look(staff(), **how)

    assert draw(5, settings) == 0


def test_looks_of_staff_at_themselves_are_not_drawn(settings):
    own = Subject.objects.create(kind=Subject.Kind.STAFF)
    look(Actor(Role.SUPPORT, id=own.pk), own)

    assert draw(5, settings) == 0


def test_every_emergency_is_drawn_once_beside_the_sample(settings):
    agent = staff()
    looks(3, agent, is_break_glass=True)
    looks(3, agent)

    with unit_of_work():
        assert draw_emergencies(by=WATCH) == 3
        assert draw_emergencies(by=WATCH) == 0
    assert draw(2, settings) == 2


def test_a_review_is_due_within_its_time(settings):
    settings.REVIEWED_WITHIN = timedelta(days=7)
    look(staff())
    draw(1, settings)

    (review,) = open_reviews()
    assert timedelta(days=6) < review.due_at - timezone.now() < timedelta(days=8)
    assert not review.is_overdue
    Review.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert [late.pk for late in overdue_reviews()] == [review.pk]


# The judgment


@pytest.fixture
def review(settings):
    look(staff())
    draw(1, settings)
    return Review.objects.get()


def decide(review, by=OFFICER, outcome=Outcome.JUSTIFIED, **how):
    with unit_of_work():
        return decide_review(by=by, review=review, outcome=outcome, **how)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("role", sorted(REVIEWERS))
def test_decide_review_keeps_the_outcome_and_writes_one_event(review, outcome, role):
    by = staff(role)

    decide(review, by, outcome, note=" a call ")

    review.refresh_from_db()
    assert (review.outcome, review.note, review.reviewed_by, review.is_open) == (outcome, "a call", by.id, False)
    (entry,) = Entry.objects.filter(event=Event.REVIEW_DECIDED, object_id=review.pk)
    assert (entry.outcome, entry.actor_id, entry.subject_id) == (outcome.value, by.id, review.subject_id)


@pytest.mark.promise("RIGHTS-9")
@pytest.mark.parametrize(("outcome", "number"), [(Outcome.UNJUSTIFIED, 1), (Outcome.JUSTIFIED, 0), (Outcome.UNCLEAR, 0)])
def test_only_an_unjustified_look_alerts_the_office(review, outcome, number):
    decide(review, outcome=outcome)

    found = list(Alert.objects.filter(kind=AlertKind.OPENING_UNJUSTIFIED, about_id=review.pk))
    assert [(alert.actor_id, alert.subject_id) for alert in found] == [(review.actor_id, review.subject_id)] * number


@pytest.mark.parametrize("role", sorted(STAFF_ROLES - REVIEWERS))
def test_decide_review_refuses_other_roles(review, role):
    with pytest.raises(NotOverseer):
        decide(review, by=staff(role))


@pytest.mark.parametrize("part", ["actor_id", "subject_id"])
def test_decide_review_refuses_whoever_looked_and_whom_it_is_about(review, part):
    with pytest.raises(OwnLook):
        decide(review, by=Actor(Role.PRIVACY_OFFICER, id=getattr(review, part)))

    assert open_reviews().exists()


def test_the_database_refuses_a_review_by_whoever_looked(review):
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.update(reviewed_at=timezone.now(), reviewed_by=review.actor_id, outcome="justified")


def test_decide_review_refuses_a_second_time(review):
    decide(review)

    with pytest.raises(AlreadyDecided):
        decide(review, outcome=Outcome.UNJUSTIFIED)
    assert Entry.objects.filter(event=Event.REVIEW_DECIDED).count() == 1


def test_decide_review_changes_nothing_if_the_event_cannot_be_written(review):
    with pytest.raises(Exception, match="short token"):
        decide(review, by=Actor(Role.SECURITY, id=uuid7(), name="no token at all"), outcome=Outcome.UNJUSTIFIED)

    assert open_reviews().exists()
    assert not Alert.objects.exists()


# The reason that was given, and what the person sees


@pytest.fixture
def looked(policy, settings):
    """A person whom support looked at, with the review of it."""
    with unit_of_work():
        subject = new_customer()
        with open_access(by=Actor.job("tests"), purpose=Purpose.ORDER, subject=subject, writes=Event.DATA_COLLECTED):
            letter = Letter.objects.create(subject=subject, name="Ada")
        with open_access(by=staff(), purpose=Purpose.ORDER, subject=subject, reason="she called", case=any_case()) as grant:
            grant.open(Letter.objects.get(pk=letter.pk).name)
    draw(1, settings)
    return Review.objects.get()


def read_reason(review, by):
    with (
        unit_of_work(),
        open_access(by=by, purpose=Purpose.SECURITY, subject=review.subject_id, reason="review", case=review) as grant,
    ):
        return grant.open(Opening.objects.get(pk=review.opening_id).reason)


@pytest.mark.parametrize("role", sorted(REVIEWERS))
def test_a_reviewer_reads_the_reason_that_was_given(looked, role):
    assert read_reason(looked, staff(role)) == "she called"


def test_nobody_reads_the_reason_of_their_own_look_or_after_the_review(looked):
    with pytest.raises(AccessDenied):
        read_reason(looked, Actor(Role.PRIVACY_OFFICER, id=looked.actor_id))
    decide(looked)
    with pytest.raises(AccessDenied):
        read_reason(looked, OFFICER)


@pytest.mark.promise("RIGHTS-9")
@pytest.mark.parametrize("outcome", Outcome)
def test_the_person_sees_what_the_review_found(looked, outcome):
    decide(looked, outcome=outcome, note="internal words")

    (line,) = lines(looked.subject)
    assert (line.verdict, line.is_unjustified, line.reason) == (outcome, outcome == Outcome.UNJUSTIFIED, "she called")
    assert line.verdict_words
    assert "internal" not in line.verdict_words


def test_before_the_review_the_person_sees_no_verdict(looked):
    (line,) = lines(looked.subject)

    assert (line.verdict, line.verdict_words) == (None, "")


def lines(subject):
    with unit_of_work(), open_access(by=person(subject), purpose=Purpose.RIGHTS, subject=subject) as grant:
        return lines_of(subject.pk, uses_by_others(subject.pk).filter(actor_role=Role.SUPPORT), grant)


# Evidence


def test_reviews_are_evidence_while_none_is_overdue(review):
    assert evidence.reviews_in_time().ok
    Review.objects.update(due_at=timezone.now() - timedelta(hours=1))

    assert evidence.reviews_in_time().ok is False


def test_without_reviews_there_is_nothing_to_judge():
    assert evidence.reviews_in_time().ok is None
    assert evidence.watch_of_looks().ok is None


@pytest.mark.promise("PROTECT-2")
def test_the_watch_is_evidence_from_its_last_run():
    at = timezone.now() - timedelta(minutes=3)
    OpeningWatch.objects.create(part=OpeningWatch.Part.USES, watched_until=at)

    answer = evidence.watch_of_looks()

    assert (answer.ok, answer.at) == (True, at)


@pytest.mark.promise("PROTECT-3")
@pytest.mark.parametrize("role", [Role.SECURITY, Role.PRIVACY_OFFICER])
def test_a_look_is_the_case_of_those_who_check_it_and_never_of_whoever_looked(role):
    looker, checker, subject = staff(role), staff(role), Subject.objects.create()
    case, about = Reference.to(look(looker, subject)), frozenset({subject.pk})

    require_case(checker, Purpose.SECURITY, case, about)
    with pytest.raises(CaseNotYours):
        require_case(looker, Purpose.SECURITY, case, about)
    with pytest.raises(CaseNotYours):
        require_case(staff(Role.SUPPORT), Purpose.SECURITY, case, about)
