"""Everything that a customer can do, done in a browser without JavaScript (RIGHTS-10)."""

import io
import re
import zipfile
from uuid import uuid4

import pytest
from PIL import Image

from marketplace.accounts.codes import current_code
from orders.checkout.actions import ORDER_PURPOSES
from orders.lifecycle.models import Order
from orders.parcels.actions import deliver_parcel
from privacy.access.gate import unit_of_work
from privacy.complaints.actions import resolve_ticket
from privacy.complaints.models import Ticket
from privacy.declarations.purposes import Purpose
from privacy.policy.roles import Role
from tests.accounts import people
from tests.journeys.conftest import Visitor
from tests.orders import factories
from tests.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.promise("RIGHTS-10")]

EMAIL, NEW_EMAIL = "plain@example.org", "plainer@example.org"
NEW_PASSWORD = "eleven blue chairs by the sea"
ADDRESS = {"addressee": "Plain Person", "line1": "Plain Street 5", "locality": "Berlin", "postcode": "10435"}


class PlainVisitor(Visitor):
    """Somebody whose browser runs no scripts. Fields are named as the form sends them."""

    def write(self, **values: str) -> None:
        for name, value in values.items():
            self.page.locator(f"main [name='{name}']:visible").first.fill(value)

    def tick(self, name: str) -> None:
        self.page.locator(f"main [name='{name}']").first.check()

    def unfold(self, words: str) -> None:
        self.page.locator("summary", has_text=words).first.click()

    def follow_mailed_link(self, subject: str, part: str) -> None:
        self.read_mail(subject)
        self.page.locator(f"main a[href*='{part}']").first.click()
        self.page.wait_for_load_state()

    def sign_in(self, email: str = EMAIL, password: str = people.PASSWORD) -> None:
        self.go("/sign-in/")
        self.write(email=email, password=password)
        self.press("Sign in")


@pytest.fixture
def plain(visitor):
    """``plain()`` is another person without scripts."""

    def arrive():
        person = visitor(java_script_enabled=False)
        person.__class__ = PlainVisitor
        return person

    return arrive


@pytest.fixture
def customer(plain):
    """Signed in, with an account that the actions made."""
    people.make_customer(EMAIL, "Plain Person", (Purpose.ACCOUNT, *ORDER_PURPOSES))
    person = plain()
    person.sign_in()
    assert person.page.url.endswith("/account/")
    return person


def put_into_basket(person):
    person.go("/")
    person.page.locator("main [name='q'], header [name='q']").first.fill("mug")
    person.page.keyboard.press("Enter")
    person.page.wait_for_load_state()
    person.follow("Stoneware mug")
    person.press("Put into the basket")
    person.go("/basket/")
    assert "Stoneware mug" in person.text


def check_out(person, **contact):
    """The country's fields come with a button that only a browser without scripts shows."""
    person.go("/checkout/")
    person.write(**contact)
    person.page.locator("main [name='country']").select_option("DE")
    person.press("Use this country")
    person.write(**ADDRESS)
    for box in person.page.locator("main [name^='consent_']").all():
        box.check()
    person.page.locator("main [name='method']").first.check()
    person.press("Order and pay")
    assert person.page.url.endswith("/placed/"), person.text
    return Order.objects.latest("id")


def test_an_account_is_opened_and_buys_and_cancels(plain):
    person = plain()
    person.go("/sign-up/")
    person.write(email=EMAIL, name="Plain Person", password=people.PASSWORD)
    person.tick("consent_account")
    person.press("Create account")
    person.follow_mailed_link("Your account", "/confirm/")
    person.write(password=people.PASSWORD)
    person.page.locator("main form button").first.click()
    person.sign_in()
    put_into_basket(person)
    order = check_out(person)

    person.go(order.get_absolute_url())
    person.follow("Cancel this order")
    person.press("Cancel the order")

    assert "is canceled" in person.text
    order.refresh_from_db()
    assert order.state == "canceled"
    assert person.complaints == []


def test_details_mailbox_password_sessions_and_second_step_are_changed(customer, plain):
    customer.go("/account/details/")
    customer.unfold("Change name")
    customer.write(name="Plainer Person")
    customer.press("Save name")
    assert "Plainer Person" in customer.text
    change_mailbox(customer)

    elsewhere = plain()
    elsewhere.sign_in(NEW_EMAIL)
    customer.go("/account/security/")
    customer.follow("Sign out everywhere else")
    customer.press("Sign out everywhere else")
    elsewhere.go("/account/")
    assert "/sign-in/" in elsewhere.page.url

    customer.go("/account/security/password/")
    customer.write(password=people.PASSWORD, new_password=NEW_PASSWORD)
    customer.press("Change password")
    codes = turn_second_step_on(customer)
    elsewhere.sign_in(NEW_EMAIL, NEW_PASSWORD)
    elsewhere.write(code=codes[0])
    elsewhere.press("Go on")
    elsewhere.go("/account/")
    assert "Plainer Person" in elsewhere.text


def change_mailbox(customer):
    customer.unfold("Change email address")
    customer.write(email=NEW_EMAIL, password=people.PASSWORD)
    customer.press("Send the links")
    customer.follow_mailed_link("Confirm your new address", "/confirm/")
    customer.press("Yes, use this address")
    customer.follow_mailed_link("A new address for your account", "/agree/")
    customer.press("I agree")


def turn_second_step_on(customer):
    customer.go("/account/security/second-step/")
    secret = customer.page.locator("main code").first.inner_text().replace(" ", "")
    customer.write(code=current_code(secret), password=NEW_PASSWORD)
    customer.press("Turn it on")
    codes = customer.page.locator("main .recovery-codes code").all_inner_texts()
    assert len(codes) == 10
    with customer.page.expect_download() as waiting:
        customer.press("Save as a text file")
    assert codes[0] in waiting.value.path().read_text()
    return codes


def test_every_right_is_used(customer):
    copy = get_a_copy(customer)
    assert any(b"Plain Person" in copy.read(name) for name in copy.namelist())

    customer.go("/account/permissions/")
    customer.page.locator("form[action$='/improvement/give/'] button").click()
    assert "Permission given" in customer.text
    customer.page.locator("form[action$='/improvement/withdraw/'] button").click()
    assert "Permission withdrawn" in customer.text
    customer.go("/account/freeze/")
    customer.page.locator("main [name='categories']").last.check()
    customer.press("Freeze it")
    customer.press("Lift the freeze")
    customer.go("/account/object/")
    customer.page.locator("main [name='purpose']").first.check()
    customer.write(reason="I do not want that.")
    customer.press("Object")
    customer.press("Take my objection back")
    correct_an_address(customer)
    customer.go("/account/uses/")
    customer.go("/account/recipients/")
    erase_and_think_again(customer)
    assert customer.complaints == []


def get_a_copy(customer):
    customer.go("/account/data/")
    customer.follow("Get a copy")
    customer.press("Make a copy")
    customer.reload_until("Your copy is ready.")
    customer.follow("Download")
    customer.write(password=people.PASSWORD)
    with customer.page.expect_download() as waiting:
        customer.press("Download")
    return zipfile.ZipFile(waiting.value.path())


def correct_an_address(customer):
    put_into_basket(customer)
    check_out(customer)
    customer.go("/account/correct/")
    customer.page.locator("main th a[href*='/account/correct/']").first.click()
    customer.page.locator("main [name='field']").first.check()
    customer.write(value="Plainer Street 6", reason="I moved.")
    customer.press("Propose the correction")
    assert "Our privacy officer decides this." in customer.text


def erase_and_think_again(customer):
    customer.go("/account/data/")
    customer.follow("Delete my data")
    assert "What stays, and why" in customer.text
    customer.write(password=people.PASSWORD)
    customer.press("Delete my data")
    customer.press("Keep my data: cancel this")
    assert "Nothing was deleted" in customer.text


def test_a_message_is_written_answered_and_reopened(customer):
    customer.go("/account/messages/new/")
    customer.page.locator("main [name='kind']").first.check()
    customer.write(body="The mug has a crack.")
    customer.page.set_input_files("main [name='files']", {"name": "crack.png", "mimeType": "image/png", "buffer": picture()})
    customer.press("Send")
    assert "The mug has a crack." in customer.text
    assert customer.page.locator("main .files a").count() == 1
    with customer.page.expect_download() as waiting:
        customer.page.locator("main .files a").click()
    assert waiting.value.path().read_bytes().startswith(b"\x89PNG")
    customer.write(body="And a second one.")
    customer.press("Send")
    assert "And a second one." in customer.text

    resolve(Ticket.objects.get())
    customer.page.reload()
    customer.write(body="It is still broken.")
    customer.press("Look again")

    assert "It is still broken." in customer.text
    assert Ticket.objects.get().state == "open"


def picture():
    file = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(file, "PNG")
    return file.getvalue()


def resolve(ticket):
    agent = people.make_staff(Role.SUPPORT).actor
    with unit_of_work():
        resolve_ticket(by=agent, ticket=ticket, outcome=Ticket.Outcome.ANSWERED, answer="We send another.", token=uuid4())


def test_a_guest_buys_comes_back_and_cancels_the_purchase(plain):
    person = plain()
    put_into_basket(person)
    order = check_out(person, name="Plain Guest", email=EMAIL)
    wait_until(lambda: factories.fresh(order).state == "received", "the payment")

    later = plain()
    later.go("/orders/lookup/")
    later.write(code=order.code, email=EMAIL)
    later.press("Mail me the link")
    later.follow_mailed_link("Your link to your order", "/orders/guest/")
    later.press("Open my order")
    assert order.code in later.text
    deliver(order)
    later.go(f"/account/orders/{order.code}/withdraw/")
    later.press("Confirm withdrawal")

    assert "Your statement has arrived" in later.text
    later.read_mail("Your cancellation has arrived")
    assert later.complaints == []


def deliver(order):
    order = factories.handed_over(order=order)
    with unit_of_work():
        deliver_parcel(by=factories.actor(Role.FULFILLMENT), parcel=factories.parcel_of(order))


def test_somebody_without_an_account_complains(plain):
    person = plain()
    person.go("/complain/")
    person.page.locator("main [name='kind']").first.check()
    person.write(body="You sent me a mail that I never asked for.", email=EMAIL)
    person.page.wait_for_timeout(3100)  # the form refuses what was filled in faster, as programs do
    person.press("Send")
    person.follow_mailed_link("Confirm your message to us", "/complain/")
    person.page.locator("main form button").first.click()
    person.page.wait_for_load_state()

    assert "You sent me a mail that I never asked for." in person.text
    assert re.search(r"We answer by", person.text)
    assert Ticket.objects.get().state == "open"
