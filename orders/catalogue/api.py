"""The shop for programs; nothing here depends on who asks."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from orders.catalogue.models import Product
from orders.catalogue.queries import SORTS, filled_categories, in_order, products_for_sale, products_matching
from privacy.interface.serializers import Choice, StrictSerializer, Text
from privacy.interface.views import PublicView


class CategoryShown(StrictSerializer):
    slug = serializers.SlugField()
    name = serializers.CharField()
    number = serializers.IntegerField(min_value=1, help_text="How many products are for sale in it.")


class ProductShown(StrictSerializer):
    slug = serializers.SlugField()
    name = serializers.CharField(help_text="In the language of the call.")
    text = serializers.CharField()
    category = serializers.SlugField(source="category.slug", default=None, allow_null=True)
    price = serializers.IntegerField(min_value=1, help_text="In the smallest unit of the currency, tax included.")
    currency = serializers.CharField()
    is_available = serializers.SerializerMethodField()
    picture = serializers.CharField(source="picture_url", help_text="Its address on this host.")

    def get_is_available(self, product: Product) -> bool:
        return product.stock.available > 0


class ProductQuery(StrictSerializer):
    search = Text(max_length=80, required=False, allow_blank=True, help_text="Words that title or description hold; kept nowhere.")
    category = serializers.SlugField(required=False)
    sort = Choice(list(SORTS), required=False)


class CategoryList(PublicView):
    gives = {"GET": CategoryShown}
    is_list = True

    def get(self, request: Request) -> Response:
        """The parts of the shop."""
        return self.answer_page(filled_categories().order_by("position", "slug"))


class ProductList(PublicView):
    gives = {"GET": ProductShown}
    query = ProductQuery
    is_list = True

    def get(self, request: Request) -> Response:
        """What is for sale."""
        asked = self.asked()
        products = products_matching(asked.get("search", "")).select_related("category")
        if "category" in asked:
            products = products.filter(category__slug=asked["category"])
        return self.answer_page(in_order(products, asked.get("sort", "")))


class ProductPage(PublicView):
    gives = {"GET": ProductShown}

    def get(self, request: Request, slug: str) -> Response:
        """One product."""
        return self.answer(get_object_or_404(products_for_sale().select_related("category"), slug=slug))


urlpatterns = [
    path("categories/", CategoryList.as_view(), name="product-categories"),
    path("products/", ProductList.as_view(), name="products"),
    path("products/<slug:slug>/", ProductPage.as_view(), name="product"),
]
