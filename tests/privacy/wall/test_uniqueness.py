"""A value is there once and found at once, though nothing sorts it: tests/rules sees to that, tests/wall to why."""

import pytest
from django.db import IntegrityError, connection, transaction

from orders.lifecycle.models import Order
from tests.orders.factories import place

pytestmark = [pytest.mark.django_db, pytest.mark.promise("PROTECT-2")]

FIELDS = {"code": "one_order_per_code", "checkout_token": "one_order_per_form"}


@pytest.mark.parametrize("field", FIELDS)
def test_a_value_that_is_there_is_refused(field):
    first, second = place(), place()

    with pytest.raises(IntegrityError, match=FIELDS[field]), transaction.atomic():
        Order.objects.filter(pk=second.pk).update(**{field: getattr(first, field)})


@pytest.mark.parametrize("field", FIELDS)
def test_a_whole_value_is_found_by_its_index(field):
    order = place()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    found = Order.objects.filter(**{field: getattr(order, field)})

    assert FIELDS[field] in found.explain()
    assert found.get() == order
