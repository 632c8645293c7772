"""What every address for programs is made of: whose it is, what it takes and gives, and nothing decided in it (PROTECT-3, RIGHTS-6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.exceptions import NotAuthenticated
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from privacy.access.gate import Grant, open_for_unit
from privacy.declarations.purposes import Purpose
from privacy.interface.areas import Area
from privacy.interface.serializers import Nothing, StrictSerializer, checked_query
from privacy.policy.roles import Actor
from privacy.vault.models import Subject

NO_CONTENT = 204
UNREADABLE = "Unreadable-Fields"


class PublicView(GenericAPIView):
    """An address for everybody.

    ``takes`` and ``gives`` name the serializer of the body and of the answer, by method; the schema is made from
    the same. ``query`` checks the parameters of a reading call, ``is_list`` adds those of paging. ``wants_key`` is
    False for a POST that makes nothing, ``streams`` the media type of an answer that is a file.
    """

    area: ClassVar[Area | None] = None
    takes: ClassVar[Mapping[str, type[StrictSerializer]]] = {}
    gives: ClassVar[Mapping[str, type[StrictSerializer] | None]] = {}
    query: ClassVar[type[StrictSerializer] | None] = None
    is_list: ClassVar[bool] = False
    wants_key: ClassVar[bool] = True
    streams: ClassVar[str] = ""
    made_by: ClassVar[frozenset[str]] = frozenset()
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    def asked(self) -> dict[str, Any]:
        """The query's parameters, checked."""
        return checked_query(self.query or StrictSerializer, self.request.query_params)

    def given(self) -> dict[str, Any]:
        """What the body holds, checked."""
        serializer = self.takes.get(self.request.method or "", Nothing)(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def answer(self, what: Any, **context: Any) -> Response:
        """``what`` as this method gives it; ``context`` holds the grants under which its fields are opened."""
        method = self.request.method or ""
        unreadable: set[str] = set()
        shown = self._shown(what, unreadable=unreadable, **context).data
        return _marked(Response(shown, status=201 if method in self.made_by else 200), unreadable)

    def answer_page(self, rows: Any, read: Callable[[Sequence[Any]], Sequence[Any]] | None = None, **context: Any) -> Response:
        """One page of ``rows``; ``read`` turns the page's rows, and them alone, into what is shown of them."""
        page: Sequence[Any] = self.paginate_queryset(rows) or []
        unreadable: set[str] = set()
        shown = self._shown(read(page) if read else page, many=True, unreadable=unreadable, **context).data
        return _marked(self.get_paginated_response(shown), unreadable)

    def _shown(self, what: Any, many: bool = False, **context: Any) -> BaseSerializer[Any]:
        method = "GET" if self.request.method == "HEAD" else self.request.method or ""
        serializer = self.gives[method] or Nothing
        return serializer(what, many=many, context={**self.get_serializer_context(), **context})


class OwnView(PublicView):
    """An address of the person who calls: everything under it is theirs, and what is not is not found.

    ``asks_password`` names the methods that want the password again, in a browser's session: a token, which a
    program keeps somewhere, is not enough for what cannot be taken back (ASVS 5.0 7.5.3).
    """

    area: ClassVar[Area]
    asks_password: ClassVar[frozenset[str]] = frozenset()

    @property
    def actor(self) -> Actor:
        return self.request.actor  # type: ignore[attr-defined]

    @property
    def subject_id(self) -> UUID:
        if self.actor.id is None:
            raise NotAuthenticated
        return self.actor.id

    @property
    def subject(self) -> Subject:
        return Subject.objects.get(pk=self.subject_id)

    def opened(self, purpose: Purpose = Purpose.RIGHTS) -> Grant:
        """A grant for the person's own data that lasts until the answer is written."""
        return open_for_unit(by=self.actor, purpose=purpose, subject=self.subject_id)


def _marked(response: Response, unreadable: set[str]) -> Response:
    """Tell which fields are null because what they hold can no longer be read."""
    if unreadable:
        response[UNREADABLE] = ", ".join(sorted(unreadable))
    return response


def made_at(response: Response, address: str) -> Response:
    """Tell where what was made can be read; a repeated call is answered from there."""
    response["Location"] = address
    return response


def shown_at(response: Response, address: str) -> Response:
    """Tell whose new state the answer shows; a repeated call is answered from there."""
    response["Content-Location"] = address
    return response
