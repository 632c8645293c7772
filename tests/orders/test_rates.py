"""Rates are set for days to come and never changed once they hold."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone

from audit.events import Event
from orders.rates.actions import set_rate, take_back_rate
from orders.rates.errors import RateBegun
from orders.rates.first import put_first_rates
from orders.rates.models import ShippingRate, TaxRate
from privacy.policy.roles import Role
from tests.accounts.people import make_staff, staff_client
from tests.orders.factories import SETUP, UNWRITABLE, entries

pytestmark = pytest.mark.django_db

TOMORROW = timedelta(days=1)


@pytest.fixture
def administrator():
    return staff_client(make_staff(Role.ADMINISTRATOR, "a@example.org"), "a@example.org")


def tax_rate(days=1, **values):
    day = timezone.localdate() + timedelta(days=days)
    return TaxRate(**{"country": "DE", "tax_class": "standard", "basis_points": 2000, "valid_from": day, **values})


def shipping_rate(days=1, **values):
    return ShippingRate(**{"country": "DE", "price": 500, "valid_from": timezone.localdate() + timedelta(days=days), **values})


@pytest.mark.parametrize(("make", "event"), [(tax_rate, Event.TAX_RATE_SET), (shipping_rate, Event.SHIPPING_RATE_SET)])
@pytest.mark.parametrize("days", [0, 1])
def test_set_rate_writes_one_event(make, event, days):
    rate = set_rate(by=SETUP, rate=make(days))

    assert type(rate).objects.filter(pk=rate.pk).exists()
    assert entries(event, object_id=rate.pk) == 1


@pytest.mark.parametrize("make", [tax_rate, shipping_rate])
def test_set_rate_refuses_the_past(make):
    with pytest.raises(RateBegun):
        set_rate(by=SETUP, rate=make(-1))


@pytest.mark.parametrize("make", [tax_rate, shipping_rate])
def test_set_rate_refuses_a_second_one_for_a_day(make):
    set_rate(by=SETUP, rate=make())

    with pytest.raises(ValidationError, match="for this day already"):
        set_rate(by=SETUP, rate=make())


@pytest.mark.parametrize("wrong", [{"basis_points": 10_001}, {"country": "XX"}, {"tax_class": "none"}])
def test_set_rate_refuses_what_is_not_valid(wrong):
    with pytest.raises(ValidationError):
        set_rate(by=SETUP, rate=tax_rate(**wrong))


def test_set_rate_changes_nothing_if_the_event_cannot_be_written():
    with pytest.raises(Exception, match="short token"):
        set_rate(by=UNWRITABLE, rate=tax_rate())

    assert not TaxRate.objects.filter(basis_points=2000, country="DE").exists()


@pytest.mark.parametrize(("make", "event"), [(tax_rate, Event.TAX_RATE_TAKEN_BACK), (shipping_rate, Event.SHIPPING_RATE_TAKEN_BACK)])
def test_take_back_rate_removes_one_that_has_not_begun(make, event):
    rate = set_rate(by=SETUP, rate=make())

    take_back_rate(by=SETUP, rate=rate)

    assert not type(rate).objects.filter(pk=rate.pk).exists()
    assert entries(event) == 1


def test_take_back_rate_refuses_one_that_holds():
    rate = set_rate(by=SETUP, rate=tax_rate(0))

    with pytest.raises(RateBegun):
        take_back_rate(by=SETUP, rate=rate)


def test_take_back_rate_changes_nothing_if_the_event_cannot_be_written():
    rate = set_rate(by=SETUP, rate=tax_rate())

    with pytest.raises(Exception, match="short token"):
        take_back_rate(by=UNWRITABLE, rate=rate)

    assert TaxRate.objects.filter(pk=rate.pk).exists()


def test_first_rates_are_put_in_place_once():
    before = TaxRate.objects.count(), ShippingRate.objects.count()

    put_first_rates()
    call_command("setup_site", verbosity=0)

    assert (TaxRate.objects.count(), ShippingRate.objects.count()) == before
    assert all(before)


def test_administrator_sets_and_takes_back_a_tax_rate(administrator):
    day = timezone.localdate() + TOMORROW
    values = {"country": "DE", "tax_class": "standard", "percent": "16.5", "valid_from": day.isoformat()}

    administrator.post("/admin/orders/taxrate/add/", values)
    rate = TaxRate.objects.get(valid_from=day)
    assert rate.basis_points == 1650
    answer = administrator.post(f"/admin/orders/taxrate/{rate.pk}/change/", {"_button": "take_back"})

    assert answer["Location"] == "/admin/orders/taxrate/"
    assert not TaxRate.objects.filter(pk=rate.pk).exists()


def test_administrator_sets_a_shipping_rate_and_ends_deliveries(administrator):
    values = {"country": "DE", "price": "4.00", "free_from": "80", "valid_from": timezone.localdate().isoformat()}

    administrator.post("/admin/orders/shippingrate/add/", values)
    administrator.post("/admin/orders/shippingrate/add/", {**values, "country": "FR", "price": "", "free_from": ""})

    assert ShippingRate.objects.filter(country="DE", price=400, free_from=8000).exists()
    assert ShippingRate.objects.filter(country="FR", price=None).exists()


@pytest.mark.parametrize(
    ("model", "wrong", "message"),
    [
        ("taxrate", {"percent": "101"}, "less than or equal to 100"),
        ("taxrate", {"valid_from": "2020-01-01"}, "Choose today or a later day"),
        ("taxrate", {"country": "XX"}, "Select a valid choice"),
        ("shippingrate", {"price": "-1"}, "greater than or equal to 0"),
        ("shippingrate", {"price": "", "free_from": "5"}, "Without a price"),
        ("shippingrate", {"note": "for Somebody"}, "did not ask for"),
    ],
)
def test_wrong_rates_get_an_error_and_change_nothing(administrator, model, wrong, message):
    before = TaxRate.objects.count(), ShippingRate.objects.count()
    values = {"country": "DE", "valid_from": timezone.localdate().isoformat()}
    values |= {"tax_class": "books", "percent": "5"} if model == "taxrate" else {"price": "5"}

    page = administrator.post(f"/admin/orders/{model}/add/", values | wrong).content.decode()

    assert message in page
    assert (TaxRate.objects.count(), ShippingRate.objects.count()) == before


def test_a_second_rate_for_a_day_gets_an_error(administrator):
    values = {"country": "DE", "price": "4.00", "valid_from": timezone.localdate().isoformat()}
    administrator.post("/admin/orders/shippingrate/add/", values)

    assert "for this day already" in administrator.post("/admin/orders/shippingrate/add/", values).content.decode()


@pytest.mark.parametrize("model", ["taxrate", "shippingrate"])
def test_rates_that_hold_are_shown_and_not_changed(administrator, model):
    rate = (TaxRate if model == "taxrate" else ShippingRate).objects.first()

    page = administrator.get(f"/admin/orders/{model}/{rate.pk}/change/").content.decode()
    administrator.post(f"/admin/orders/{model}/{rate.pk}/change/", {"_button": "take_back"})

    assert "Take back" not in page
    assert type(rate).objects.filter(pk=rate.pk).exists()


@pytest.mark.parametrize("model", ["taxrate", "shippingrate", "product", "productcategory"])
@pytest.mark.parametrize("role", [Role.SUPPORT, Role.FULFILLMENT, Role.FINANCE])
def test_other_roles_add_nothing(model, role):
    client = staff_client(make_staff(role, f"{role}@example.org"), f"{role}@example.org")

    assert client.get(f"/admin/orders/{model}/").status_code == 200
    assert client.get(f"/admin/orders/{model}/add/").status_code == 403
