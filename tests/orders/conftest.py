"""A policy, the two partners with their agreements, and the sandbox of the outside in a thread."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.demo.sandbox import Behavior, open_sandbox
from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.policy.actions import publish_policy
from privacy.policy.models import PolicyVersion
from privacy.sharing.actions import register_recipient, sign_agreement
from privacy.sharing.models import Recipient
from tests.orders.factories import SECRET, SETUP

WORDS = {"title": "Policy", "summary": ["We keep it short."], "sections": []}
QUICK = Behavior(result_after=0, hang=3, transit_after=0, delivered_after=0, twice=0, disorder=0, retry_after=60)


@pytest.fixture(autouse=True)
def partners(request):
    if not request.node.get_closest_marker("django_db"):
        return
    request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
    if not PolicyVersion.objects.exists():
        publish_policy(by=SETUP, number=1, texts={"en": WORDS}, purposes=list(Purpose))
    today = timezone.now().date()
    for slug, kind, purposes in (
        ("payments", Recipient.Kind.PAYMENT, [Purpose.PAYMENT, Purpose.RETURNS]),
        ("carrier", Recipient.Kind.CARRIER, [Purpose.DISPATCH, Purpose.RETURNS]),
    ):
        Recipient.objects.filter(slug=slug).exists() or sign_agreement(
            by=SETUP,
            recipient=register_recipient(by=SETUP, slug=slug, name=slug, kind=kind, country="DE", webhook_secret=SECRET),
            reference=f"{slug}-1",
            purposes=purposes,
            categories=list(Category),
            signed_on=today - timedelta(days=1),
            starts_on=today - timedelta(days=1),
            ends_on=today + timedelta(days=365),
        )
        Recipient.objects.filter(slug=slug).update(webhook_secret=SECRET)


@pytest.fixture
def outside(settings, tmp_path):
    """The sandbox, answering at once; its messages go nowhere."""
    sandbox = open_sandbox(0, SECRET, "http://127.0.0.1:9", tmp_path / "books.sqlite", QUICK)
    settings.SANDBOX_URL = f"http://127.0.0.1:{sandbox.server_port}"
    settings.ORDERS_OUTSIDE_TIMEOUT = 1
    threading.Thread(target=sandbox.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield sandbox.outside
    sandbox.stop()
    sandbox.server_close()


@pytest.fixture
def nobody_outside(settings):
    """Nobody answers."""
    settings.SANDBOX_URL = "http://127.0.0.1:9"
