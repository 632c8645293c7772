"""The checkout: what a country needs and no more, each permission unticked, one order a form."""

import re
from uuid import uuid4

import pytest

from orders.checkout.actions import ORDER_PURPOSES
from orders.lifecycle.models import Order, OrderAddress
from privacy.access.gate import open_access, unit_of_work
from privacy.consent.queries import missing_purposes
from privacy.consent.statements import fingerprint
from privacy.declarations.purposes import Purpose
from tests.orders.factories import ADDRESS, client_of, make_customer, make_product, stock_of

pytestmark = pytest.mark.django_db

CONSENTS = {f"consent_{purpose.value}": fingerprint(purpose, "en") for purpose in ORDER_PURPOSES}


@pytest.fixture
def customer():
    return make_customer()


@pytest.fixture
def product():
    return make_product(price=2000)


@pytest.fixture
def client(customer, product):
    client = client_of(customer)
    client.post(f"/basket/{product.slug}/add/", {"quantity": 2})
    return client


def choose(client, country, **typed):
    return client.post("/checkout/", {"country": country, "change_country": "1", **typed})


def names_in(page):
    return set(re.findall(r'name="([a-z0-9_]+)"', page.content.decode().split('id="checkout"')[1].split("</form>")[0]))


def filled(country="DE", total=4490, **more):
    return {
        "country": country,
        "fields_for": country,
        "total": total,
        "token": str(uuid4()),
        "method": "card",
        "place": "1",
        **ADDRESS,
        **more,
    }


def test_the_parcel_is_addressed_to_whoever_is_signed_in_until_they_write_another_name(client, customer):
    with unit_of_work(), open_access(by=customer.actor, purpose=Purpose.ACCOUNT, subject=customer.subject) as grant:
        name = grant.open(customer.details.name)

    assert choose(client, "DE").context["form"]["addressee"].value() == name
    assert choose(client, "DE", addressee="Somebody Else").context["form"]["addressee"].value() == "Somebody Else"


def test_checkout_with_an_empty_basket_leads_to_the_basket(customer):
    assert client_of(customer).get("/checkout/")["Location"] == "/basket/"


def test_checkout_asks_the_country_first(client):
    names = names_in(client.get("/checkout/"))

    assert "country" in names
    assert not names & {"addressee", "line1", "postcode", "locality", "region"}


@pytest.mark.promise("COLLECT-6")
@pytest.mark.parametrize(
    ("country", "asked"),
    [
        ("DE", {"addressee", "line1", "line2", "postcode", "locality"}),
        ("US", {"addressee", "line1", "line2", "postcode", "locality", "region"}),
        ("JP", {"addressee", "line1", "line2", "postcode", "region"}),
        ("AE", {"addressee", "line1", "line2", "region"}),
        ("GB", {"addressee", "line1", "line2", "postcode", "locality"}),
        ("IE", {"addressee", "line1", "line2", "postcode", "locality", "region", "district"}),
    ],
)
def test_checkout_asks_the_fields_of_the_country_alone(client, country, asked):
    names = names_in(choose(client, country))

    frame = {"csrfmiddlewaretoken", "place", "change_country", "token", "total", "fields_for", "country", "method"}
    assert names - frame == asked


def test_checkout_keeps_what_was_typed_when_the_country_changes(client):
    page = choose(client, "FR", addressee="Marker Addressee", line1="Markerstreet 7", region="XX").content.decode()

    assert 'value="Marker Addressee"' in page
    assert 'value="Markerstreet 7"' in page
    assert "There is a problem" not in page


def test_checkout_says_what_delivery_and_tax_cost(client):
    page = choose(client, "DE").content.decode()

    assert "€44.90" in page
    assert "€7.17" in page


@pytest.mark.promise("COLLECT-3")
def test_checkout_asks_the_missing_permissions_unticked(product):
    client = client_of(make_customer(permissions=[Purpose.ORDER]))
    client.post(f"/basket/{product.slug}/add/", {"quantity": 1})

    page = client.get("/checkout/").content.decode()

    boxes = re.findall(r"<input[^>]*consent_[^>]*>", page)
    assert len(boxes) == len(ORDER_PURPOSES) - 1
    assert not any("checked" in box for box in boxes)


def test_checkout_places_the_order(client, customer, product):
    answer = client.post("/checkout/", filled())

    order = Order.objects.get()
    assert answer["Location"] == f"/orders/{order.code}/placed/"
    assert order.subject_id == customer.subject_id
    assert order.total == 4490
    assert "basket" not in client.session
    assert order.code in client.get(answer["Location"]).content.decode()


def test_checkout_enters_the_permissions(product):
    user = make_customer(permissions=())
    client = client_of(user)
    client.post(f"/basket/{product.slug}/add/", {"quantity": 2})

    client.post("/checkout/", filled(**CONSENTS))

    assert Order.objects.count() == 1
    assert missing_purposes(user.subject_id, ORDER_PURPOSES) == []


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("left_out", CONSENTS)
def test_checkout_without_a_permission_places_nothing(product, left_out):
    client = client_of(make_customer(permissions=()))
    client.post(f"/basket/{product.slug}/add/", {"quantity": 2})

    page = client.post("/checkout/", filled(**{name: yes for name, yes in CONSENTS.items() if name != left_out}))

    assert "cannot go on without this permission" in page.content.decode()
    assert not Order.objects.exists()


@pytest.mark.promise("COLLECT-3")
@pytest.mark.parametrize("extra", ["phone", "birth_date", "region", "company_name"])
def test_checkout_refuses_fields_it_did_not_ask_for(client, extra):
    page = client.post("/checkout/", filled(**{extra: "something"}))

    assert "did not ask for" in page.content.decode()
    assert not Order.objects.exists()


@pytest.mark.parametrize("missing", ["addressee", "line1", "postcode", "locality", "method"])
def test_checkout_says_which_field_is_missing(client, missing):
    page = client.post("/checkout/", filled(**{missing: ""})).content.decode()

    assert "There is a problem" in page
    assert "Please fill this in." in page or "Please choose one." in page
    assert not Order.objects.exists()


def test_checkout_explains_a_wrong_postcode_by_an_example(client):
    page = client.post("/checkout/", filled(postcode="1")).content.decode()

    assert "Write it as in this example: 26133" in page
    assert not Order.objects.exists()


def test_checkout_refuses_a_region_that_is_not_one(client):
    page = client.post("/checkout/", filled("US", total=5990, region="XX", postcode="95014"))

    assert "There is a problem" in page.content.decode()
    assert not Order.objects.exists()


@pytest.mark.parametrize("country", ["", "BR", "de", "xx"])
def test_checkout_delivers_nowhere_else(client, country):
    client.post("/checkout/", filled(country))

    assert not Order.objects.exists()


def test_checkout_with_another_country_than_its_fields_asks_again(client):
    page = client.post("/checkout/", filled("GB") | {"fields_for": "DE"})

    assert "Post town" in page.content.decode()
    assert not Order.objects.exists()


def test_checkout_says_when_the_price_has_changed(client):
    page = client.post("/checkout/", filled(total=4489)).content.decode()

    assert "price has changed" in page
    assert not Order.objects.exists()


def test_checkout_twice_with_one_form_is_one_order(client, product):
    form = filled()

    first, second = client.post("/checkout/", form), client.post("/checkout/", form)

    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1
    assert stock_of(product) == (10, 2)


def test_checkout_says_when_somebody_was_faster(client, product):
    other = client_of(make_customer())
    other.post(f"/basket/{product.slug}/add/", {"quantity": 9})
    other.post("/checkout/", filled(total=18000))

    answer = client.post("/checkout/", filled())

    assert answer["Location"] == "/basket/"
    assert Order.objects.count() == 1


def test_checkout_keeps_the_address_as_it_was_typed(client, customer):
    client.post("/checkout/", filled("IE", total=4990, postcode="a65 f4e2", region="Co. Dublin", locality="Swords"))

    address = OrderAddress.objects.get()
    with unit_of_work(), open_access(by=customer.actor, purpose=Purpose.DISPATCH, subject=customer.subject) as grant:
        assert grant.open(address.locality) == "Swords"
        assert grant.open(address.postcode) == "a65 f4e2"
        assert address.district is None


def test_placed_page_of_somebody_else_is_not_found(client):
    client.post("/checkout/", filled())

    answer = client_of(make_customer()).get(f"/orders/{Order.objects.get().code}/placed/")

    assert answer.status_code == 404
