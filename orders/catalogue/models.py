"""Products, their categories and their stock. No row here says anything about a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from orders.money import SHOP_CURRENCY
from privacy.declarations.walls import Wall
from privacy.vault.identifiers import uuid7

if TYPE_CHECKING:
    from uuid import UUID

TRANSLATED_INTO = ("de", "ar")
"""Languages that have columns of their own beside the English ones."""

KIND = RegexValidator(r"^[a-z]+( [a-z]+)?\Z")


class TaxClass(models.TextChoices):
    """Which VAT rate of the country of delivery applies."""

    STANDARD = "standard", _("standard")
    BOOKS = "books", _("books")


def _in_language(row: models.Model, name: str, language: str | None) -> str:
    """The words in ``language`` (the reader's, if None), or in English where they are missing."""
    code = (language or get_language() or "").split("-")[0]
    words: str = getattr(row, f"{name}_{code}", "") if code in TRANSLATED_INTO else ""
    return words or getattr(row, name)


class ProductCategory(models.Model):
    """A part of the shop, such as lamps. ``kind`` chooses its picture."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(_("short name in the address"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=60)
    title_de = models.CharField(_("title in German"), max_length=60, blank=True)
    title_ar = models.CharField(_("title in Arabic"), max_length=60, blank=True)
    kind = models.CharField(_("picture"), max_length=30, validators=[KIND])
    position = models.PositiveSmallIntegerField(_("place in the list"), default=0)

    wall = Wall.PUBLIC
    not_personal = {
        "slug": "name of a part of the shop",
        "title": "name of a part of the shop",
        "title_de": "the same in German",
        "title_ar": "the same in Arabic",
        "kind": "which picture is drawn",
        "position": "order in the list",
    }

    class Meta:
        verbose_name = _("product category")
        verbose_name_plural = _("product categories")
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("orders:category", args=[self.slug])

    @property
    def name(self) -> str:
        """The title in the reader's language."""
        return _in_language(self, "title", None)

    @property
    def picture_url(self) -> str:
        return reverse("orders:picture", args=[self.slug, self.kind.replace(" ", "-")])


class Product(models.Model):
    """Something for sale. ``price`` includes the tax; ``kind`` chooses the picture.

    Title and description are in English; those in other languages may be empty.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(_("short name in the address"), max_length=80, unique=True)
    category = models.ForeignKey(
        ProductCategory,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="products",
        verbose_name=_("product category"),
    )
    title = models.CharField(_("title"), max_length=120)
    title_de = models.CharField(_("title in German"), max_length=120, blank=True)
    title_ar = models.CharField(_("title in Arabic"), max_length=120, blank=True)
    description = models.TextField(_("description"), max_length=2000)
    description_de = models.TextField(_("description in German"), max_length=2000, blank=True)
    description_ar = models.TextField(_("description in Arabic"), max_length=2000, blank=True)
    kind = models.CharField(_("picture"), max_length=30, validators=[KIND])
    price = models.PositiveIntegerField(_("price in cents, tax included"))
    currency = models.CharField(_("currency"), max_length=3, default=SHOP_CURRENCY, editable=False)
    tax_class = models.CharField(_("tax class"), max_length=10, choices=TaxClass, default=TaxClass.STANDARD)
    is_active = models.BooleanField(_("for sale"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    category_id: UUID | None
    stock: StockItem

    wall = Wall.PUBLIC
    not_personal = {
        "slug": "name of a product",
        "category": "part of the shop that it is in",
        "title": "name of a product",
        "title_de": "the same in German",
        "title_ar": "the same in Arabic",
        "description": "text about a product",
        "description_de": "the same in German",
        "description_ar": "the same in Arabic",
        "kind": "which picture is drawn",
        "price": "price of a product",
        "currency": "currency of the price",
        "tax_class": "which tax rate applies",
        "is_active": "whether the product is for sale",
        "created_at": "when the product was added",
        "version": "counts the changes, so that two at once are noticed",
    }

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["category", "is_active"], name="product_by_category")]
        constraints = [models.CheckConstraint(condition=Q(price__gt=0), name="product_price_above_zero")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("orders:product", args=[self.slug])

    @property
    def name(self) -> str:
        """The title in the reader's language."""
        return self.title_in(None)

    @property
    def text(self) -> str:
        """The description in the reader's language."""
        return _in_language(self, "description", None)

    def title_in(self, language: str | None) -> str:
        return _in_language(self, "title", language)

    @property
    def picture_url(self) -> str:
        return reverse("orders:picture", args=[self.slug, self.kind.replace(" ", "-")])


class StockItem(models.Model):
    """How many pieces lie in the warehouse, and how many of them are promised to orders."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    product = models.OneToOneField(Product, on_delete=models.CASCADE, related_name="stock")
    on_hand = models.PositiveIntegerField(_("on hand"), default=0)
    reserved = models.PositiveIntegerField(_("promised to orders"), default=0, editable=False)

    product_id: UUID

    wall = Wall.PUBLIC.granting(customer="SELECT, UPDATE (reserved)")
    not_personal = {
        "product": "the product counted",
        "on_hand": "pieces in the warehouse",
        "reserved": "pieces promised to orders",
    }

    class Meta:
        verbose_name = _("stock")
        verbose_name_plural = _("stock")
        ordering = ["product__slug"]
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


class StockMovement(models.Model):
    """One change of the pieces on hand; their sum is what is on hand. Append-only; kept for ever."""

    class Kind(models.TextChoices):
        RECEIVED = "received", _("received")
        WRITTEN_OFF = "written_off", _("written off")
        COUNTED = "counted", _("counted")
        SHIPPED = "shipped", _("given to the carrier")
        RETURNED = "returned", _("come back")

    class Reason(models.TextChoices):
        FIRST = "first", _("first stock")
        DELIVERY = "delivery", _("delivery from the maker")
        FOUND = "found", _("found again")
        DAMAGED = "damaged", _("damaged")
        LOST = "lost", _("lost")
        SAMPLE = "sample", _("taken as a sample")
        STOCKTAKING = "stocktaking", _("stocktaking")
        MISTAKE = "mistake", _("correction of a mistake")
        ORDER = "order", _("an order")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, db_index=False, related_name="movements", verbose_name=_("product"))
    kind = models.CharField(_("what happened"), max_length=12, choices=Kind)
    change = models.IntegerField(_("pieces"))
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    at = models.DateTimeField(_("when"), default=timezone.now)

    wall = Wall.STAFF
    append_only = True
    not_personal = {
        "product": "the product moved",
        "kind": "what happened",
        "change": "pieces more or less",
        "reason": "a reason code",
        "at": "when",
    }

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["product", "-at"], name="movement_by_product")]

    def __str__(self) -> str:
        return f"{self.kind} {self.change:+d}"


REASONS_TO_RECEIVE = (StockMovement.Reason.DELIVERY, StockMovement.Reason.FOUND, StockMovement.Reason.MISTAKE)
REASONS_TO_WRITE_OFF = (
    StockMovement.Reason.DAMAGED,
    StockMovement.Reason.LOST,
    StockMovement.Reason.SAMPLE,
    StockMovement.Reason.MISTAKE,
)
REASONS_TO_COUNT = (StockMovement.Reason.STOCKTAKING, StockMovement.Reason.MISTAKE)
