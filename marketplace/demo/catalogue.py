"""What the demo shop sells, as data; entered through the same action that the administrator's page uses."""

from __future__ import annotations

from dataclasses import dataclass

from orders.catalogue.actions import add_product
from orders.catalogue.models import Product, TaxClass
from privacy.policy.roles import Actor


@dataclass(frozen=True)
class DemoProduct:
    slug: str
    title: str
    kind: str
    price: int
    on_hand: int
    description: str
    tax_class: str = TaxClass.STANDARD


DEMO_PRODUCTS = (
    DemoProduct(
        "stoneware-mug",
        "Stoneware mug",
        "mug",
        1890,
        40,
        "Thrown by hand and fired twice. Holds 300 ml, keeps tea warm, and sits well in two cold hands.",
    ),
    DemoProduct(
        "wide-bowl",
        "Wide bowl",
        "bowl",
        2490,
        30,
        "For soup, salad or the fruit of the week. 22 cm across, glazed inside, bare clay outside.",
    ),
    DemoProduct(
        "reading-lamp",
        "Reading lamp",
        "lamp",
        7900,
        12,
        "Warm light on the page and none in your eyes. Turned beech foot, linen shade, 4 W bulb included.",
    ),
    DemoProduct(
        "field-notebook",
        "Field notebook",
        "notebook",
        1250,
        60,
        "96 dotted pages that take ink well, thread-sewn so that it lies flat. Printed with the seasons of the garden.",
        TaxClass.BOOKS,
    ),
    DemoProduct(
        "lambswool-scarf",
        "Lambswool scarf",
        "scarf",
        4900,
        25,
        "Woven from undyed and plant-dyed wool. 180 by 30 cm, soft from the first day.",
    ),
    DemoProduct(
        "willow-basket",
        "Willow basket",
        "basket",
        3600,
        18,
        "Carries bread, wood or washing. Peeled willow, woven without glue or nails, 40 cm across.",
    ),
    DemoProduct(
        "terracotta-plant-pot",
        "Terracotta plant pot",
        "plant pot",
        2200,
        35,
        "Breathing clay with a saucer, 16 cm. The plant in the picture is yours to choose.",
    ),
    DemoProduct(
        "beeswax-candles",
        "Pair of beeswax candles",
        "candle",
        1650,
        50,
        "Poured from clean beeswax with a cotton wick, with a dish to carry them. Each burns about 18 hours.",
    ),
    DemoProduct(
        "quiet-bedside-clock",
        "Quiet bedside clock",
        "clock",
        5900,
        15,
        "A hand that glides instead of ticking, and a bell that means it. On ash feet, 14 cm, one battery a year.",
    ),
    DemoProduct(
        "oak-chair",
        "Oak chair",
        "chair",
        18900,
        6,
        "Joined with wooden pegs, oiled, easy to mend. Seat 45 cm high; carries 130 kg.",
    ),
    DemoProduct(
        "tea-tin",
        "Tea tin with herb tea",
        "tea tin",
        1490,
        45,
        "Lemon balm, mint and apple, 80 g, in a tin that closes tight and will outlive the tea.",
    ),
    DemoProduct(
        "striped-blanket",
        "Striped blanket",
        "blanket",
        8900,
        10,
        "Wool and cotton, 140 by 200 cm, with fringes. Machine-washable at 30 °C.",
    ),
)


def add_demo_products(*, by: Actor) -> int:
    """Add what is not there yet; returns how many were added."""
    present = set(Product.objects.values_list("slug", flat=True))
    missing = [product for product in DEMO_PRODUCTS if product.slug not in present]
    for item in missing:
        product = Product(
            slug=item.slug,
            title=item.title,
            description=item.description,
            kind=item.kind,
            price=item.price,
            tax_class=item.tax_class,
        )
        add_product(by=by, product=product, on_hand=item.on_hand)
    return len(missing)
