"""A personal record of the tests' own, with every kind of sealed field, in a registry that the product never sees."""

from uuid import UUID

from django.apps.registry import Apps
from django.db import models

from audit.record import Reference
from privacy.access.cases import CaseState, register_case
from privacy.consent.actions import give_consent
from privacy.declarations import masks
from privacy.declarations.categories import Category
from privacy.declarations.lifetimes import Lifetime, days
from privacy.declarations.purposes import PURPOSES, Ground, Purpose
from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.vault.fields import personal
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord

registry = Apps()
registry.register_model("privacy", Subject)


class Note(PersonalRecord):
    """Destroyed a day after it was written."""

    code = models.CharField(max_length=20, blank=True)
    written_at = models.DateTimeField(null=True, blank=True)
    name = personal(models.CharField("name", max_length=40), Category.ACCOUNT, mask=masks.name)
    email = personal(models.EmailField("email", max_length=60, null=True, blank=True), Category.ACCOUNT, mask=masks.email)
    street = personal(models.CharField("street", max_length=80, blank=True), Category.DELIVERY, mask=masks.address)
    body = personal(models.TextField("message", blank=True), Category.INTERACTION)

    lifetime = Lifetime(purposes=[Purpose.ACCOUNT], starts="written_at", lasts=days(1))
    not_personal = {"code": "a random code", "written_at": "when"}

    class Meta:
        apps = registry
        app_label = "privacy"
        db_table = "test_note"
        indexes = [models.Index("subject", "written_at", name="note_by_subject")]


class Letter(PersonalRecord):
    """A second model whose field has the same name, category and owner."""

    name = personal(models.CharField("name", max_length=40), Category.ACCOUNT, mask=masks.name)

    lifetime = Lifetime(purposes=[Purpose.ACCOUNT], starts="subject__erased_at", lasts=days(1))
    not_personal: dict[str, str] = {}

    class Meta:
        apps = registry
        app_label = "privacy"
        db_table = "test_letter"
        indexes = [models.Index("subject", name="letter_by_subject")]


TABLES = """
CREATE TABLE IF NOT EXISTS test_note (
    id uuid PRIMARY KEY, subject_id uuid NOT NULL, code varchar(20) NOT NULL, written_at timestamptz,
    name bytea NOT NULL, email bytea, street bytea NOT NULL, body bytea NOT NULL);
CREATE TABLE IF NOT EXISTS test_letter (id uuid PRIMARY KEY, subject_id uuid NOT NULL, name bytea NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON test_note, test_letter TO market_gate, market_worker;
"""

CONSENT_PURPOSES = [purpose for purpose, rule in PURPOSES.items() if rule.ground == Ground.CONSENT]


def new_customer(*purposes: Purpose) -> Subject:
    """A person who has agreed to these purposes (default: to all that rest on consent)."""
    subject = Subject.objects.create()
    for purpose in purposes or CONSENT_PURPOSES:
        give_consent(by=person(subject), subject=subject, purpose=purpose, locale="en")
    return subject


def person(subject: Subject) -> Actor:
    """The subject acting for themselves."""
    return Actor(Role.CUSTOMER, id=subject.pk)


def staff(role: Role = Role.SUPPORT) -> Actor:
    return Actor(role, id=uuid7())


EVERYBODYS = "tests.everybodys"


def _everybodys(case_id: UUID, actor: Actor) -> CaseState:
    """A case of these tests: whoever asks works on it, and it is about all people."""
    return CaseState(frozenset(Subject.objects.values_list("pk", flat=True)), STAFF_ROLES, STAFF_ROLES)


register_case(EVERYBODYS, _everybodys)


def any_case() -> Reference:
    """For tests of what else the gate asks of staff."""
    return Reference(EVERYBODYS, uuid7())
