"""What several tests of the policy need: texts to publish, and a database in which none was published."""

from collections.abc import Callable
from typing import Any

import pytest

from privacy.declarations.purposes import Purpose
from privacy.policy.actions import publish_policy
from privacy.policy.models import PolicyVersion
from privacy.policy.roles import Actor

PUBLISHER = Actor.job("test")
TABLES = ("privacy_policytext", "privacy_policyversion")


@pytest.fixture
def words() -> dict[str, Any]:
    section = {"id": "one", "heading": "One", "paragraphs": ["Some words."], "promises": []}
    return {"en": {"title": "Second policy", "summary": ["It is short."], "sections": [section]}}


@pytest.fixture
def publish(db: None, words: dict[str, Any]) -> Callable[..., PolicyVersion]:
    """`publish(2, effective_at=...)` announces a version."""

    def announce(number: int, **how: Any) -> PolicyVersion:
        return publish_policy(**{"by": PUBLISHER, "number": number, "texts": words, "purposes": list(Purpose), **how})

    return announce


@pytest.fixture
def nothing_published(transactional_db: None, owner_connection: Callable[..., Any]) -> None:
    """The site as it is before its first `setup_site`."""
    connection = owner_connection()
    with connection, connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only")
