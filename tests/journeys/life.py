"""The life of one customer's data, step by step, as the people in it do it at their browsers."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from orders.lifecycle.models import Order
from privacy.policy.roles import Role
from privacy.rights.models import Request
from tests.journeys.conftest import Visitor
from tests.processes import wait_until

EMAIL = "marker-zq81-mailbox@example.org"
NAME = "Marker-zq82 Äbcß"
PASSWORD = "seven green apples on a wall"
ADDRESS = {
    "Full name": "Marker-zq83 Addressee",
    "Street and house number": "Marker-zq84 Street 5",
    "Apartment": "Marker-zq85 Floor",
    "Town or city": "Marker-zq86-town",
    "Postcode": "10435",
}
NEW_NAME = "Marker-zq87 Corrected"
REASON = "Marker-zq88 checked the name"
MARKER = "arker-zq8"


def sign_up(person: Visitor) -> None:
    person.go("/sign-up/")
    for box in person.page.get_by_role("checkbox").all():
        assert not box.is_checked(), "nothing is pre-ticked"
    person.fill("Email", EMAIL)
    person.fill("Name", NAME)
    person.fill("Password", PASSWORD)
    person.page.get_by_label("Run your account").check()
    person.page.get_by_label("Improve the shop").check()
    person.press("Create account")
    person.read_mail("Your account")
    person.page.locator("main a[href*='/confirm/']").first.click()
    person.fill("Password", PASSWORD)
    person.page.locator("main form button").first.click()
    person.page.wait_for_load_state()


def sign_in(person: Visitor) -> None:
    person.go("/sign-in/")
    person.fill("Email", EMAIL)
    person.fill("Password", PASSWORD)
    person.press("Sign in")


def order_something(person: Visitor) -> str:
    """Search, choose, fill the checkout, pay; returns the order's code."""
    person.go("/search/?q=mug")
    person.follow("Stoneware mug")
    person.press("Put into the basket")
    person.go("/checkout/")
    person.page.get_by_label("Country").select_option("DE")
    person.page.get_by_label("Full name").wait_for()
    for label, value in ADDRESS.items():
        person.fill(label, value)
    for box in person.page.get_by_role("checkbox").all():
        assert not box.is_checked(), "nothing is pre-ticked"
        box.check()
    person.page.get_by_role("radio").first.check()
    person.press("Order and pay")
    person.page.wait_for_url("**/orders/*/placed/")
    return Order.objects.latest("id").code


def open_case(staff: Visitor, code: str) -> None:
    staff.go("/admin/orders/order/")
    assert MARKER not in staff.text
    staff.follow(code)
    assert MARKER not in staff.text


def check_and_confirm(staff: Visitor, code: str) -> None:
    """Support looks at the masks, opens one thing for a reason, and confirms."""
    open_case(staff, code)
    staff.page.get_by_label("Purpose").select_option("order")
    staff.fill("Reason", REASON)
    staff.press("Open and record it")
    staff.sees(NAME)
    assert ADDRESS["Full name"] not in staff.text, "support's purpose does not open the delivery address"
    staff.press("Confirm the order")
    staff.sees("Done: Confirm the order")
    assert MARKER not in staff.text


def dispatch(staff: Visitor, code: str) -> None:
    """Fulfillment packs, waits for money and label, hands over and delivers."""
    open_case(staff, code)
    staff.press("Mark as packed")
    order = Order.objects.get(code=code)
    wait_until(
        lambda: order.payments.filter(state="captured").exists() and order.parcels.filter(labeled_at__isnull=False).exists(),
        "money and label",
    )
    staff.page.reload()
    staff.press("Hand over to the carrier")
    staff.sees("Done: Hand over")
    staff.press("Mark as delivered")
    staff.sees("Done: Mark as delivered")


def get_a_copy(person: Visitor) -> zipfile.ZipFile:
    person.go("/account/data/")
    person.follow("Get a copy")
    person.press("Make a copy")
    person.sees("Your copy is ready.")
    person.read_mail("Your copy is ready")
    person.page.locator("main a[href*='/account/requests/']").first.click()
    person.follow("Download")
    person.fill("password", PASSWORD)
    with person.page.expect_download() as waiting:
        person.press("Download")
    return zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes()))


def ask_for_erasure(person: Visitor) -> Request:
    person.go("/account/data/")
    person.follow("Delete my data")
    person.sees("What stays, and why")
    person.fill("password", PASSWORD)
    person.press("Delete my data")
    person.sees("Until then nothing is deleted")
    return Request.objects.get(kind="erasure")


def let_cooling_off_pass(request: Request) -> None:
    Request.objects.filter(pk=request.pk).update(effective_at=timezone.now() - timedelta(seconds=1))


def live(visitor: Callable[[], Visitor], staff: Callable[[Role], Visitor]) -> tuple[Visitor, str]:
    """From sign-up to the delivered parcel; returns the customer at their browser, and the order's code."""
    customer = visitor()
    sign_up(customer)
    sign_in(customer)
    code = order_something(customer)
    customer.go(f"/account/orders/{code}/")
    customer.reload_until("being checked")
    check_and_confirm(staff(Role.SUPPORT), code)
    dispatch(staff(Role.FULFILLMENT), code)
    return customer, code
