"""The shop as a visitor meets it."""

import re

import pytest
from django.test import Client

from orders.catalogue.actions import add_category
from orders.catalogue.models import Product, ProductCategory
from orders.catalogue.views import ON_A_PAGE
from tests.orders.factories import SETUP, count_queries, make_product, place

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return Client()


def test_front_shows_what_is_for_sale(client):
    shown, hidden = make_product(title="A shown thing"), make_product(title="A hidden thing", is_active=False)

    page = client.get("/").content.decode()

    assert shown.title in page
    assert hidden.title not in page


def test_front_with_nothing_to_sell_says_so(client):
    Product.objects.all().delete()

    assert "still empty" in client.get("/").content.decode()


@pytest.mark.parametrize("path", ["/", "/search/?q=thing", "/search/?sort=cheapest", "/categories/things/", "/products/first/"])
def test_product_pages_take_as_many_queries_for_many_as_for_one(client, path):
    things = make_category()
    make_product(slug="first", category=things)
    make_product(category=things)
    client.get(path)
    few = count_queries(lambda: client.get(path))
    for number in range(5):
        make_product(category=things)
        make_product(category=make_category(slug=f"more-{number}"))

    assert count_queries(lambda: client.get(path)) <= few


def make_category(**values):
    return add_category(by=SETUP, category=ProductCategory(**{"slug": "things", "title": "Things", "kind": "mug", **values}))


def test_front_leads_to_the_categories_that_have_something(client):
    make_product(category=make_category(title="Lamps", position=1))
    make_category(slug="empty", title="Nothing yet")
    make_product(category=make_category(slug="off", title="Off sale"), is_active=False)

    make_product(category=make_category(slug="first", title="First of all", position=0))

    page = client.get("/").content.decode()

    assert 0 < page.index("First of all") < page.index("Lamps")
    assert "Nothing yet" not in page
    assert "Off sale" not in page


def test_category_page_lists_its_own_products(client):
    make_product(title="A lamp", category=make_category(slug="lamps"))
    make_product(title="A pan", category=make_category(slug="pans"))

    page = client.get("/categories/lamps/").content.decode()

    assert "A lamp" in page
    assert "A pan" not in page


def test_category_page_of_an_unknown_or_empty_category_is_not_found(client):
    make_category(slug="empty")

    assert client.get("/categories/none/").status_code == 404
    assert client.get("/categories/empty/").status_code == 404


@pytest.mark.parametrize(
    ("sort", "order"), [("cheapest", ["A", "B", "C"]), ("dearest", ["C", "B", "A"]), ("newest", ["B", "C", "A"]), ("x", ["B", "C", "A"])]
)
def test_lists_are_sorted_as_asked(client, sort, order):
    for title, price in (("A", 100), ("C", 300), ("B", 200)):
        make_product(title=f"Thing of {title}", price=price)

    page = client.get("/search/", {"sort": sort}).content.decode()

    assert re.findall(r"Thing of ([ABC])<", page) == order


def test_lists_are_cut_into_pages_that_keep_words_and_order(client):
    for _ in range(ON_A_PAGE + 1):
        make_product()

    first = client.get("/search/", {"q": "thing", "sort": "cheapest"}).content.decode()
    second = client.get("/search/?q=thing&sort=cheapest&page=2").content.decode()

    assert first.count("product-card") == ON_A_PAGE
    assert second.count("product-card") == 1
    assert "?q=thing&amp;sort=cheapest&amp;page=2" in first
    assert client.get("/search/?page=999").status_code == client.get("/search/?page=x").status_code == 200


def test_search_finds_words_of_other_languages_and_parts_of_words(client):
    make_product(title="Reading lamp", title_de="Leselampe", title_ar="مصباح قراءة")

    for words in ("lampe", "LESE", "مصباح", "read lamp"):
        assert "Reading lamp" in client.get("/search/", {"q": words}).content.decode()


def test_pages_show_the_words_of_the_readers_language(client):
    product = make_product(title="Mug", title_de="Becher", description="Holds tea.", description_de="Hält Tee.")

    page = client.get(product.get_absolute_url(), headers={"accept-language": "de"}).content.decode()

    assert "Becher" in page
    assert "Hält Tee." in page
    assert "Holds tea." not in page


def test_product_page_says_what_delivery_costs_and_what_goes_well_with_it(client):
    things = make_category()
    product = make_product(category=things)
    beside, sold_out = make_product(title="Beside", category=things), make_product(title="Gone", category=things, on_hand=0)
    make_product(title="Elsewhere")

    page = client.get(product.get_absolute_url()).content.decode()

    assert "Delivery to Germany: €4.90, free from €100.00." in page
    assert "Japan" in page
    assert "within 14 days" in page
    assert beside.title in page
    assert sold_out.title not in page
    assert "Elsewhere" not in page


@pytest.mark.parametrize(("on_hand", "words"), [(9, "In stock"), (5, "Only 5 left"), (0, "Sold out")])
def test_product_page_says_in_words_how_many_there_are(client, on_hand, words):
    assert words in client.get(make_product(on_hand=on_hand).get_absolute_url()).content.decode()


def test_search_finds_words_of_title_and_description(client):
    make_product(title="Blue Kettle", description="Boils water.")
    make_product(title="Red Pan", description="Fries.")

    page = client.get("/search/", {"q": "kettle WATER"}).content.decode()

    assert "Blue Kettle" in page
    assert "Red Pan" not in page


@pytest.mark.parametrize("words", ["", "   ", "x" * 500, "<script>alert(1)</script>", "%", "nothing-like-it"])
def test_search_with_anything_is_a_page(client, words):
    answer = client.get("/search/", {"q": words})

    assert answer.status_code == 200
    assert b"<script>alert" not in answer.content


def test_product_page_of_an_unknown_or_hidden_product_is_not_found(client):
    hidden = make_product(is_active=False)

    assert client.get("/products/none/").status_code == 404
    assert client.get(hidden.get_absolute_url()).status_code == 404


def test_picture_may_be_kept_for_a_year(client):
    answer = client.get(make_product(kind="plant pot").picture_url)

    assert answer["Content-Type"] == "image/svg+xml"
    assert "max-age=31536000" in answer["Cache-Control"]
    assert "immutable" in answer["Cache-Control"]
    assert client.get("/pictures/thing/nothing.svg").status_code == 404


def add(client, product, quantity=1):
    return client.post(f"/basket/{product.slug}/add/", {"quantity": quantity})


def test_basket_keeps_products_and_numbers_alone(client):
    product = make_product()

    add(client, product, 2)
    add(client, product, 3)

    assert client.session["basket"] == {str(product.pk): 5}
    assert product.title in client.get("/basket/").content.decode()


def test_basket_changes_and_empties(client):
    product = make_product()
    add(client, product, 2)

    client.post(f"/basket/{product.slug}/", {"quantity": 7})
    assert client.session["basket"] == {str(product.pk): 7}
    client.post(f"/basket/{product.slug}/", {"quantity": 0})

    assert client.session["basket"] == {}
    assert "Your basket is empty" in client.get("/basket/").content.decode()


@pytest.mark.parametrize("quantity", ["0", "-1", "21", "x", ""])
def test_basket_refuses_other_numbers(client, quantity):
    add(client, make_product(), quantity)

    assert not client.session.get("basket")


def test_basket_refuses_fields_it_did_not_ask_for(client):
    product = make_product()

    client.post(f"/basket/{product.slug}/add/", {"quantity": 1, "note": "for Somebody"})

    assert not client.session.get("basket")


def test_basket_says_when_there_are_fewer(client):
    product = make_product(on_hand=1)

    add(client, product, 3)

    page = client.get("/basket/").content.decode()
    assert "Only 1 left" in page
    assert "Go to checkout" not in page


def test_basket_forgets_what_is_no_longer_for_sale(client):
    product = make_product()
    add(client, product)
    Product.objects.update(is_active=False)

    assert "Your basket is empty" in client.get("/basket/").content.decode()


def test_basket_takes_as_many_queries_for_many_as_for_one(client):
    add(client, make_product())
    client.get("/basket/")
    few = count_queries(lambda: client.get("/basket/"))
    for _ in range(4):
        add(client, make_product())
    client.get("/basket/")

    assert count_queries(lambda: client.get("/basket/")) <= few


@pytest.mark.parametrize("path", ["/account/orders/", "/account/orders/NONE/", "/orders/NONE/placed/"])
def test_pages_of_a_person_ask_to_sign_in_first(client, path):
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer["Location"] == f"/sign-in/?next={path}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/"),
        ("post", "/search/"),
        ("get", "/basket/thing/add/"),
        ("get", "/basket/thing/"),
        ("get", "/webhooks/payments/"),
        ("get", "/webhooks/parcels/"),
    ],
)
def test_only_the_right_method(client, method, path):
    assert getattr(client, method)(path).status_code == 405


def test_no_page_of_the_shop_names_a_customer(client):
    place()

    for path in ("/", "/search/?q=thing", "/basket/"):
        assert b"Marker" not in client.get(path).content
