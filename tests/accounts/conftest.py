"""A policy in force, without which no purpose opens."""

import pytest

from privacy.declarations.purposes import Purpose
from privacy.policy.actions import publish_policy
from privacy.policy.models import PolicyVersion
from privacy.policy.roles import Actor

WORDS = {"title": "Policy", "summary": ["We keep it short."], "sections": []}


@pytest.fixture(autouse=True)
def policy(request):
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
        if not PolicyVersion.objects.exists():
            publish_policy(by=Actor.job("test"), number=1, texts={"en": WORDS}, purposes=list(Purpose))
