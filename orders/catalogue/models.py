"""Products and their stock. No row here says anything about a person."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.money import SHOP_CURRENCY
from privacy.vault.identifiers import uuid7


class TaxClass(models.TextChoices):
    """Which VAT rate of the country of delivery applies."""

    STANDARD = "standard", _("standard")
    BOOKS = "books", _("books")


class Product(models.Model):
    """Something for sale. ``price`` includes the tax; ``kind`` chooses the picture."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(_("short name in the address"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=120)
    description = models.TextField(_("description"), max_length=2000)
    kind = models.CharField(_("picture"), max_length=30, validators=[RegexValidator(r"^[a-z]+( [a-z]+)?\Z")])
    price = models.PositiveIntegerField(_("price in cents, tax included"))
    currency = models.CharField(_("currency"), max_length=3, default=SHOP_CURRENCY, editable=False)
    tax_class = models.CharField(_("tax class"), max_length=10, choices=TaxClass, default=TaxClass.STANDARD)
    is_active = models.BooleanField(_("for sale"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    not_personal = {
        "slug": "name of a product",
        "title": "name of a product",
        "description": "text about a product",
        "kind": "which picture is drawn",
        "price": "price of a product",
        "currency": "currency of the price",
        "tax_class": "which tax rate applies",
        "is_active": "whether the product is for sale",
        "created_at": "when the product was added",
    }

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["created_at", "id"]
        constraints = [models.CheckConstraint(condition=Q(price__gt=0), name="product_price_above_zero")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("orders:product", args=[self.slug])

    @property
    def picture_url(self) -> str:
        return reverse("orders:picture", args=[self.slug, self.kind.replace(" ", "-")])


class StockItem(models.Model):
    """How many pieces lie in the warehouse, and how many of them are promised to orders."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    product = models.OneToOneField(Product, on_delete=models.CASCADE, related_name="stock")
    on_hand = models.PositiveIntegerField(_("on hand"), default=0)
    reserved = models.PositiveIntegerField(_("reserved"), default=0, editable=False)

    not_personal = {
        "product": "the product counted",
        "on_hand": "pieces in the warehouse",
        "reserved": "pieces promised to orders",
    }

    class Meta:
        verbose_name = _("stock")
        verbose_name_plural = _("stock")
        constraints = [
            models.CheckConstraint(
                condition=Q(on_hand__gte=0, reserved__gte=0, reserved__lte=F("on_hand")),
                name="stock_reserved_within_on_hand",
            )
        ]

    def __str__(self) -> str:
        return str(self.product)

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved
