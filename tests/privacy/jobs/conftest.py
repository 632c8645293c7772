"""A job that does what a test tells it, with a table of its own."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.apps.registry import Apps

from privacy.jobs import actions
from privacy.jobs.models import JOB_FIELDS, Job

TABLE = """
CREATE TABLE IF NOT EXISTS test_trial (id uuid PRIMARY KEY, state varchar(10) NOT NULL, progress smallint NOT NULL,
    attempts smallint NOT NULL, queued_at timestamptz NOT NULL, due_at timestamptz NOT NULL, started_at timestamptz, finished_at timestamptz,
    error varchar(80) NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON test_trial TO market_gate, market_worker;
"""


class Trial(Job):
    """Destroyed with the test's database."""

    MAX_ATTEMPTS: ClassVar[int] = 3
    does: ClassVar[Callable[["Trial"], None]] = staticmethod(lambda job: None)
    performed: ClassVar[list[Any]] = []
    failed: ClassVar[list[Any]] = []

    not_personal = JOB_FIELDS

    class Meta:
        apps = Apps()
        app_label = "privacy"
        db_table = "test_trial"

    def perform(self) -> None:
        self.performed.append(self.pk)
        type(self).does(self)

    def on_failure(self) -> None:
        self.failed.append(self.pk)


class TrialsAlone:
    """A registry in which there is one kind of job."""

    @staticmethod
    def get_model(label: str) -> type[Trial]:
        assert label == "privacy.trial"
        return Trial

    @staticmethod
    def get_models() -> list[type[Job]]:
        return [Trial]


@pytest.fixture
def trials(transactional_db: None, owner_connection: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> type[Trial]:
    owner = owner_connection("default")
    with owner, owner.cursor() as cursor:
        cursor.execute(TABLE)
    monkeypatch.setattr(actions, "apps", TrialsAlone)
    monkeypatch.setattr(Trial, "does", staticmethod(lambda job: None))
    monkeypatch.setattr(Trial, "performed", [])
    monkeypatch.setattr(Trial, "failed", [])
    return Trial
