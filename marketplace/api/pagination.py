"""Lists come in pages; the ways to the others stand in the ``Link`` header (RFC 8288)."""

from __future__ import annotations

from typing import Any

from django.core.paginator import InvalidPage, Paginator
from rest_framework.exceptions import NotFound
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response

from privacy.interface.serializers import StrictSerializer, WholeNumber, checked_query


class PageQuery(StrictSerializer):
    page = WholeNumber(min_value=1, max_value=1_000_000, default=1, help_text="Which page, counted from 1.")
    page_size = WholeNumber(min_value=1, max_value=100, default=20, help_text="How many on a page.")


class Pages(PageNumberPagination):
    """``?page=2&page_size=50``; a page behind the last one is not found."""

    page_size_query_param = "page_size"

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        self.request, asked = request, checked_query(PageQuery, request.query_params)
        try:
            self.page = Paginator(queryset, asked["page_size"]).page(asked["page"])
        except InvalidPage:
            raise NotFound from None
        return list(self.page)

    def get_paginated_response(self, data: Any) -> Response:
        assert self.page is not None  # noqa: S101  set by paginate_queryset
        response = Response({"count": self.page.paginator.count, "items": data})
        if links := ", ".join(f'<{address}>; rel="{name}"' for name, address in self._links().items()):
            response["Link"] = links
        return response

    def _links(self) -> dict[str, str]:
        next_link, previous_link = self.get_next_link(), self.get_previous_link()
        return {name: link for name, link in (("next", next_link), ("prev", previous_link)) if link}

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["count", "items"],
            "properties": {
                "count": {"type": "integer", "minimum": 0, "description": "How many there are on all pages."},
                "items": schema,
            },
        }
