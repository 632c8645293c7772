"""The interface is what its description says: calls made from the schema, right ones and wrong ones, for every address."""

from contextlib import nullcontext, suppress
from uuid import uuid4

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from marketplace.api.schema import schema_document
from marketplace.wsgi import application
from privacy.access.gate import unit_of_work
from privacy.rights.actions import request_copy

pytestmark = pytest.mark.django_db

EXAMPLES = 12
BOUNDED = settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)  # fmt: skip
DESCRIBED = schemathesis.openapi.from_dict(schema_document(), config=SchemathesisConfig.from_dict({"seed": 1}))
DESCRIBED.app = application
OPERATIONS = [result.ok() for result in DESCRIBED.get_all_operations()]


DECIDED_BY_CONTENT = {"POST /api/v1/tickets/{ticket_id}/files/": [positive_data_acceptance]}
"""Whether a file is taken depends on what is in it, which no schema says."""


@pytest.fixture
def one_connection():
    """The end of a request closes connections, and a test's transaction with them; the framework's own client does the same."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def known(person):
    """Real ones for the parameters of addresses, so that more than refusals is seen."""
    with unit_of_work():
        request = request_copy(by=person.actor, subject=person.subject)
    return {
        "code": person.sent.code,
        "request_id": str(request.pk),
        "category": "account",
        "purpose": "improvement",
        "promise": "COLLECT-1",
        "number": 1,
    }


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_call_keeps_to_the_schema(operation, person, known, one_connection):
    for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
        headers = {"Authorization": f"Bearer {person.program().secret}"}
        nothing_to_find = suppress(Unsatisfiable) if mode == GenerationMode.NEGATIVE else nullcontext()
        with nothing_to_find:  # whatever stands in the place of a name is a name: that cannot be sent wrong
            call_often(operation, mode, headers, known)


def call_often(operation, mode, headers, known):
    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case):
        if mode == GenerationMode.POSITIVE:
            case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
            case.headers = {**(case.headers or {}), "Idempotency-Key": str(uuid4())}  # a used one is refused, and rightly
        case.call_and_validate(headers=headers, excluded_checks=DECIDED_BY_CONTENT.get(operation.label, []))

    call()


def test_the_stored_description_is_fresh():
    call_command("openapi", "--check")


def test_the_description_is_served_in_both_forms(client):
    as_json, as_yaml = client.get(reverse("api:schema")), client.get(reverse("api:schema"), headers={"Accept": "application/yaml"})

    assert as_json.json()["openapi"].startswith("3.1")
    assert as_yaml.content.startswith(b"openapi: 3.1")
    assert client.post(reverse("api:schema")).status_code == 405
