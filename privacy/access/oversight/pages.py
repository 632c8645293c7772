"""A staff page on which somebody looks at a thing and says what they found (RIGHTS-9)."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.access.oversight.forms import FindingForm
from privacy.policy.admin import RoleAdmin, staff_page
from privacy.policy.roles import Actor, Role
from privacy.vault.models import Subject

PERSON = Subject._meta.label_lower


class FindingAdmin(RoleAdmin):
    """The page of an object that is open until somebody has found something about it.

    A form that was refused is shown again with what was typed.
    """

    own_forms = frozenset({"_find"})
    finders: ClassVar[frozenset[Role]]
    outcomes: ClassVar[type[models.TextChoices]]
    refusals: ClassVar[type[Exception]]
    found: ClassVar[Promise | str]

    def find(self, by: Actor, obj: Any, outcome: str, note: str) -> object:
        """The action that ends it."""
        raise NotImplementedError

    def is_about(self, actor: Actor, obj: Any) -> bool:
        """Nobody judges what they did themselves, or what is about them."""
        return actor.id in (obj.actor_id, obj.subject_id)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj) or request.method != "POST" or "_find" not in request.POST:
            return super().change_view(request, object_id, form_url, extra_context)
        if self._role(request) not in self.finders:
            raise PermissionDenied
        form = FindingForm(self.outcomes.choices, request.POST)
        if form.is_valid() and self._is_found(request, obj, form):
            return HttpResponseRedirect(request.path)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "finding_form": form})

    def _is_found(self, request: HttpRequest, obj: Any, form: FindingForm) -> bool:
        try:
            self.find(request.actor, obj, **form.cleaned_data)  # type: ignore[attr-defined]
        except self.refusals as refusal:
            form.add_error(None, str(refusal))
            return False
        messages.success(request, str(self.found))
        return True

    def case_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        is_about_me = self.is_about(actor, obj)
        may_find = obj.is_open and actor.role in self.finders and not is_about_me
        return {
            **super().case_context(request, obj),
            "object": obj,
            "is_about_me": is_about_me and obj.is_open,
            "finding_form": FindingForm(self.outcomes.choices) if may_find else None,
            "looks_address": looks_address(obj.actor_id),
            "person_address": staff_page(request, PERSON, obj.subject_id),
        }


class OpenFilter(admin.SimpleListFilter):
    """Those that wait for somebody; ``ended`` is the field that says when it ended."""

    title = _("open")
    parameter_name = "open"
    ended: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        chosen = {"yes": True, "no": False}.get(str(self.value()))
        return queryset if chosen is None else queryset.filter(**{f"{self.ended}__isnull": chosen})


def looks_address(actor_id: UUID | None) -> str:
    """The list of what this member of staff opened."""
    return f"{reverse('admin:privacy_opening_changelist')}?actor_id={actor_id}" if actor_id else ""
