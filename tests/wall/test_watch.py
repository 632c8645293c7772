"""Somebody is told of a hole in the wall, once, and by ids alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from privacy.alerts.models import Alert, AlertKind
from privacy.alerts.tasks import watch_wall

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.promise("PROTECT-2")]


@pytest.fixture(autouse=True)
def without_tables_of_other_tests(test_databases, transactional_db):
    test_databases.reset()


def test_nothing_is_raised_while_the_wall_stands():
    watch_wall()

    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP POLICY wall_own ON orders_orderaddress",
        "ALTER TABLE orders_orderaddress NO FORCE ROW LEVEL SECURITY",
        "GRANT SELECT ON accounts_accountsession TO market_customer",
        "CREATE VIEW everybody AS SELECT * FROM orders_orderaddress; GRANT SELECT ON everybody TO market_customer",
    ],
)
def test_a_hole_raises_one_alert_that_counts(owner_connection, statement):
    with owner_connection() as superuser, superuser.cursor() as cursor:
        cursor.execute(statement)

    watch_wall()
    watch_wall()

    alert = Alert.objects.get(kind=AlertKind.WALL_BREACHED)
    assert alert.count == 2


def test_a_log_that_will_soon_have_no_month_to_write_into_raises_an_alert(monkeypatch):
    far = timezone.now() + timedelta(days=400)
    monkeypatch.setattr("audit.partitions.timezone.now", lambda: far)

    watch_wall()

    assert Alert.objects.get().kind == AlertKind.LOG_MONTHS_LATE
