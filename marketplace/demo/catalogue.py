"""What the demo shop sells, read from ``products.toml`` and entered through the actions of the administrator's pages."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from orders.catalogue.actions import add_category, add_product
from orders.catalogue.models import Product, ProductCategory, TaxClass
from privacy.policy.roles import Actor

SOURCE = Path(__file__).with_name("products.toml")


@dataclass(frozen=True)
class DemoProduct:
    """Title and description by column: ``title``, ``title_de``, ``title_ar`` and so on."""

    slug: str
    category: str
    kind: str
    price: int
    on_hand: int
    tax_class: str
    words: dict[str, str]


@cache
def demo_products() -> tuple[DemoProduct, ...]:
    return tuple(_products())


def add_demo_products(*, by: Actor) -> int:
    """Add the categories and products that are not there yet; returns how many products were added."""
    categories = {category.slug: category for category in ProductCategory.objects.all()}
    for position, entry in enumerate(_source()):
        if entry["slug"] not in categories:
            category = ProductCategory(slug=entry["slug"], kind=entry["kind"], position=position, **_words("title", entry["title"]))
            categories[category.slug] = add_category(by=by, category=category)
    present = set(Product.objects.values_list("slug", flat=True))
    missing = [product for product in demo_products() if product.slug not in present]
    for item in missing:
        product = Product(
            slug=item.slug,
            category=categories[item.category],
            kind=item.kind,
            price=item.price,
            tax_class=item.tax_class,
            **item.words,
        )
        add_product(by=by, product=product, on_hand=item.on_hand)
    return len(missing)


@cache
def _source() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = tomllib.loads(SOURCE.read_text(encoding="utf-8"))["category"]
    return entries


def _products() -> Iterator[DemoProduct]:
    for entry in _source():
        for slug, kind, price, on_hand, titles, descriptions in entry["products"]:
            words = _words("title", titles) | _words("description", descriptions)
            yield DemoProduct(slug, entry["slug"], kind, price, on_hand, entry.get("tax_class", TaxClass.STANDARD), words)


def _words(name: str, texts: list[str]) -> dict[str, str]:
    return dict(zip((name, f"{name}_de", f"{name}_ar"), texts, strict=True))
