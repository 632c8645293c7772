"""A record with one value of each category."""

from django.apps.registry import Apps
from django.db import models

from privacy.declarations.categories import Category
from privacy.declarations.lifetimes import Lifetime, days
from privacy.declarations.purposes import Purpose
from privacy.vault.fields import personal
from privacy.vault.models import Subject
from privacy.vault.records import PersonalRecord

registry = Apps()
registry.register_model("privacy", Subject)


class Everything(PersonalRecord):
    """Destroyed with the test's database."""

    account = personal(models.CharField(max_length=40), Category.ACCOUNT)
    purchase = personal(models.CharField(max_length=40), Category.PURCHASE)
    delivery = personal(models.CharField(max_length=40), Category.DELIVERY)
    financial = personal(models.CharField(max_length=40), Category.FINANCIAL)
    interaction = personal(models.CharField(max_length=40), Category.INTERACTION)

    lifetime = Lifetime(purposes=[Purpose.RIGHTS], starts="subject__erased_at", lasts=days(1))
    not_personal: dict[str, str] = {}

    class Meta:
        apps = registry
        app_label = "privacy"
        db_table = "test_everything"
        indexes = [models.Index("subject", name="everything_by_subject")]


TABLE = """
CREATE TABLE IF NOT EXISTS test_everything (id uuid PRIMARY KEY, subject_id uuid NOT NULL, account bytea NOT NULL, purchase bytea NOT NULL,
    delivery bytea NOT NULL, financial bytea NOT NULL, interaction bytea NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON test_everything TO market_gate, market_worker;
"""
