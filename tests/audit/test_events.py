import re

import pytest

from audit.events import Event

pytestmark = pytest.mark.promise("USE-3")


def test_event_names_have_three_parts():
    for event in Event:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+\.[a-z_]+", event.value), event


def test_event_names_are_unique():
    assert len({event.value for event in Event}) == len(Event.__members__)
