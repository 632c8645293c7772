"""The interface described by itself: OpenAPI 3.1 from what each view declares that it takes, gives and refuses."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django.utils.text import slugify
from django.utils.translation import override
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS

from marketplace.api.pagination import PageQuery
from marketplace.api.problems import CONTENT_TYPE
from marketplace.api.repetition import HEADER, NEEDING_A_KEY
from privacy.interface.areas import scopes_for
from privacy.interface.serializers import OpenedField, StrictSerializer, Text
from privacy.interface.views import UNREADABLE

PUBLIC_TAG = "Public"
REFUSALS = {
    "400": ("Malformed", "The call cannot be read, or has no Idempotency-Key."),
    "401": ("NotSignedIn", "Nobody is signed in, or the token does not work."),
    "403": ("NotAllowed", "The caller may not do this."),
    "404": ("NotFound", "There is no such thing, or it is not the caller's."),
    "406": ("NotAcceptable", "Answers are JSON."),
    "409": ("NotNow", "The state of things does not allow it."),
    "410": ("Gone", "It has been deleted."),
    "413": ("TooLarge", "The body is larger than we take."),
    "415": ("MediaType", "The Content-Type is not taken."),
    "422": ("Invalid", "Something in the call is not right; `errors` says what, and where."),
    "429": ("TooMany", "Too many calls, or wrong too often."),
    "503": ("Unavailable", "The keys to personal data cannot be reached."),
}


class ProblemEntry(StrictSerializer):
    pointer = serializers.CharField(required=False, help_text="Where in the body: a JSON pointer.")
    parameter = serializers.CharField(required=False, allow_blank=True, help_text="Which query parameter; empty for one that is not known.")
    detail = serializers.CharField(help_text="What is wrong with it, in the language of the call.")


class ProblemDetails(StrictSerializer):
    """A refusal (RFC 9457). It never repeats a value that was sent."""

    type = serializers.URLField(help_text="Where this kind of refusal is explained.")
    title = serializers.CharField(help_text="What happened, in the language of the call.")
    status = serializers.IntegerField(min_value=400, max_value=599)
    detail = serializers.CharField(help_text="What to do about it.")
    instance = serializers.CharField(help_text="The number of the call, to quote when you write to us.")
    errors = ProblemEntry(many=True, required=False)  # type: ignore[assignment]


class ApiSchema(AutoSchema):
    """Reads ``takes``, ``gives``, ``query`` and ``is_list`` of our views; refusals follow from them."""

    view: Any

    def get_operation_id(self) -> str:
        words = re.sub("([A-Z])", r" \1", type(self.view).__name__)
        return slugify(f"{self.method} {words}")

    def get_tags(self) -> list[str]:
        area = self.view.area
        return [str(area.label) if area else PUBLIC_TAG]

    def get_summary(self) -> str:
        return self._words()[0]

    def get_description(self) -> str:  # type: ignore[override]
        scopes = scopes_for(self.view.area, is_safe=self.method in SAFE_METHODS) if self.view.area else frozenset()
        needed = "" if not scopes or self._asks_password() else f"Scope: {' or '.join(f'`{scope}`' for scope in sorted(scopes))}."
        return "\n\n".join(part for part in (self._words()[1], needed) if part)

    def _words(self) -> tuple[str, str]:
        """Summary and description: the first line of the method's docstring, and what follows it."""
        text = " ".join((getattr(self.view, self.method.lower()).__doc__ or "").split("\n\n")[0].split())
        rest = "\n\n".join(" ".join(part.split()) for part in (getattr(self.view, self.method.lower()).__doc__ or "").split("\n\n")[1:])
        return text.removesuffix("."), rest

    def _asks_password(self) -> bool:
        return self.method in getattr(self.view, "asks_password", ())

    def get_auth(self) -> list[dict[str, list[str]]]:
        if self.view.area is None:
            return []
        session: dict[str, list[str]] = {"session": [], "csrf": []} if self.method not in SAFE_METHODS else {"session": []}
        return [session] if self._asks_password() else [{"token": []}, session]

    def get_request_serializer(self) -> Any:
        return self.view.takes.get(self.method)

    def get_response_serializers(self) -> Any:
        given = self.view.gives.get(self.method)
        if self.view.streams:
            return {(200, self.view.streams): OpenApiTypes.BINARY}
        if given is None:
            return {204: OpenApiResponse(description="Done.")}
        return {201 if self.method in self.view.made_by else 200: given(many=self._is_list())}

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        self.resolve_serializer(ProblemDetails, direction)
        refusals = {code: {"$ref": f"#/components/responses/{name}"} for code, (name, _) in REFUSALS.items() if code in self._refusals()}
        return super()._get_response_bodies(direction) | refusals

    def _is_list(self) -> bool:
        return self.view.is_list and self.method == "GET"

    def _is_list_view(self, serializer: Any = None) -> bool:
        return self._is_list()

    def _refusals(self) -> set[str]:
        codes = {"406", "422", "429", "503"}
        if self.view.area is not None:
            codes |= {"401", "403"}
        if "{" in self.path or self._is_list():
            codes |= {"404"}
        if self.method not in SAFE_METHODS:
            codes |= {"400", "404", "409", "410", "413", "415"}
        return codes

    def get_override_parameters(self) -> list[Any]:
        if self.method in SAFE_METHODS:
            query = [self.view.query] if self.view.query else []
            return [*query, *([PageQuery] if self._is_list() else [])]
        key = OpenApiParameter(
            HEADER,
            {"type": "string", "pattern": "^[A-Za-z0-9._:-]{8,128}$"},
            OpenApiParameter.HEADER,
            required=True,
            description="Random, and new for every new call. The same call with the same key does nothing twice. Kept for a day.",
        )
        return [key] if self.method in NEEDING_A_KEY and self.view.wants_key else []

    def _get_paginator(self) -> Any:
        return super()._get_paginator() if self._is_list() else None

    def _get_pagination_parameters(self) -> list[Any]:
        return []  # they are those of PageQuery

    def _get_response_headers_for_code(self, status_code: str, direction: str = "response") -> dict[str, Any]:
        text = {"type": "string"}
        headers = {}
        if status_code == "201":
            headers["Location"] = {"schema": text, "description": "Where it can be read."}
        if status_code == "200" and self._is_list():
            headers["Link"] = {"schema": text, "description": 'The pages beside this one: rel="next", rel="prev" (RFC 8288).'}
        if status_code in ("200", "201") and _opens(self.view.gives.get(self.method or "")):
            headers[UNREADABLE] = {"schema": text, "description": "Fields that are null because what they hold can no longer be read."}
        return headers

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)
        if isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        if not vars(type(serializer)).get("__doc__"):
            schema.pop("description", None)  # that of its base says nothing about it
        return schema


def _opens(serializer: type[StrictSerializer] | None) -> bool:
    """Whether a sealed value stands anywhere in what this serializer gives."""
    return serializer is not None and any(map(_is_opened, serializer().fields.values()))


def _is_opened(field: Any) -> bool:
    inner = getattr(field, "child", field)
    return isinstance(inner, OpenedField) or (isinstance(inner, StrictSerializer) and _opens(type(inner)))


class TextSchema(OpenApiSerializerFieldExtension):
    """Blanks alone are no text; the framework takes them off before it looks."""

    target_class = Text

    def map_serializer_field(self, auto_schema: Any, direction: Direction) -> Any:
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        return {**schema, "pattern": r"^[^\u0000]*$" if self.target.allow_blank else r"^[^\u0000]*\S[^\u0000]*$"}


def describe_refusals(result: dict[str, Any], **how: Any) -> dict[str, Any]:
    """Adds to the document what all calls refuse alike."""
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    result["components"]["responses"] = {name: {"description": words, "content": content} for name, words in REFUSALS.values()}
    return result


@cache
def schema_document() -> dict[str, Any]:
    """The whole document, in English; made once a process."""
    with override("en"):
        document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return document
