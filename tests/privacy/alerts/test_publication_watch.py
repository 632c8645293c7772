from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Publication
from audit.publishing import PUBLISHED_WITHIN, outside_health
from marketplace.dashboard import log_outside
from privacy.alerts.models import Alert, AlertKind
from privacy.alerts.tasks import watch_publications
from privacy.policy.dashboard import State
from privacy.policy.roles import Actor, Role

pytestmark = [pytest.mark.promise("USE-3"), pytest.mark.django_db]

PLACES = ["file:///copies/one", "file:///copies/two"]
SECURITY = Actor(role=Role.SECURITY, id=None)


@pytest.fixture
def note(settings):
    """`note(name, …)` is how far a place of the settings is."""
    settings.AUDIT_PUBLISH = PLACES

    def make(name=PLACES[0], **values):
        return Publication.objects.create(**{"name": name, "size": 5, "tried_at": timezone.now()} | values)

    return make


def raised():
    return set(Alert.objects.values_list("kind", flat=True))


def test_places_that_are_up_to_date_raise_nothing(note):
    note()
    note(PLACES[1], behind_since=timezone.now() - PUBLISHED_WITHIN / 2, error="ConnectionError")

    watch_publications()

    assert raised() == set()
    assert outside_health().ok
    assert log_outside(SECURITY).state == State.GOOD


@pytest.mark.parametrize("column", ["behind_since", "tried_at"])
def test_place_that_lags_raises_an_alert_once(note, column):
    note(**{column: timezone.now() - PUBLISHED_WITHIN - timedelta(minutes=1)})

    watch_publications()
    watch_publications()

    assert raised() == {AlertKind.LOG_UNPUBLISHED}
    assert Alert.objects.get().count == 2
    assert log_outside(SECURITY).state == State.LATE


def test_place_that_knows_another_log_raises_an_alert(note):
    note(finding="rolled back: somewhere the log has 9 entries, here 5", behind_since=timezone.now())

    watch_publications()

    assert raised() == {AlertKind.LOG_CONTRADICTED}
    assert "know another log" in str(log_outside(SECURITY).text)


def test_place_that_left_the_settings_is_looked_at_no_more(note, settings):
    note("file:///copies/gone", behind_since=timezone.now() - timedelta(days=9), finding="split view: …")

    watch_publications()

    assert raised() == set()


def test_without_places_there_is_no_card(settings):
    settings.AUDIT_PUBLISH = []

    assert log_outside(SECURITY) is None
