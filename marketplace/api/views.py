"""The front door, the schema, the reference, and the answer to whatever address does not exist."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import OpenApiYamlRenderer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.problems import PROBLEMS
from marketplace.api.reference import operations_by_tag
from marketplace.api.schema import schema_document
from privacy.interface.areas import TokenScope
from privacy.interface.serializers import StrictSerializer
from privacy.interface.views import PublicView

JSON_SCHEMA = "application/vnd.oai.openapi+json"
YAML_SCHEMA = "application/vnd.oai.openapi"


class FrontDoor(StrictSerializer):
    reference = serializers.URLField(help_text="What there is, for people to read.")
    schema = serializers.URLField(help_text="The same for programs: OpenAPI 3.1.")


class FrontDoorPage(PublicView):
    gives = {"GET": FrontDoor}

    def get(self, request: Request) -> Response:
        """Where to begin."""
        at = request.build_absolute_uri
        return self.answer({"reference": at(reverse("api:reference")), "schema": at(reverse("api:schema"))})


class NothingHere(PublicView):
    """Whatever lies under the interface and is no address of it."""

    permission_classes = ()
    schema = None

    def get(self, request: Request, **kwargs: Any) -> Response:
        raise Http404

    post = put = patch = delete = get


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document, as JSON or, where that is asked for, as YAML."""
    document = schema_document()
    if "yaml" in request.headers.get("Accept", "") or request.headers.get("Accept", "") == YAML_SCHEMA:
        return HttpResponse(OpenApiYamlRenderer().render(document), content_type=YAML_SCHEMA)
    return JsonResponse(document, content_type=JSON_SCHEMA, json_dumps_params={"ensure_ascii": False})


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """The same document for people, drawn on the server."""
    context = {"groups": operations_by_tag(schema_document()), "problems": PROBLEMS.values(), "scopes": TokenScope}
    return render(request, "api/reference.html", context)
