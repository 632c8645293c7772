"""Staff pages follow the roles: read-only unless declared, and every change is a button on an action (PROTECT-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.policy.roles import STAFF_ROLES, Actor, Role
from privacy.vault.models import Subject

TOO_LATE = _("Nothing was changed: this has been done, or is no longer possible.")


@dataclass(frozen=True)
class Button:
    """One thing that staff can do with an object, done by calling ``action(by=actor, obj)``.

    ``does`` says in one sentence what will happen. ``refusals`` are the errors that the action raises for a
    reason that staff should read; their text is shown, so it names no personal value.
    """

    name: str
    label: Promise | str
    does: Promise | str
    action: Callable[[Actor, Any], object]
    roles: frozenset[Role]
    when: Callable[[Any], bool] = lambda obj: True
    refusals: tuple[type[Exception], ...] = ()
    is_dangerous: bool = False

    def is_offered(self, actor: Actor, obj: Any) -> bool:
        return actor.role in self.roles and self.when(obj)


class SetFilter(admin.EmptyFieldListFilter):
    """Whether something has happened: Yes and No, where Django says that a field is empty or not."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice, words in zip(super().choices(changelist), (_("All"), _("No"), _("Yes")), strict=True):
            yield {**choice, "display": words}


class RoleAdmin(admin.ModelAdmin):
    """A stock admin page that only ``viewers`` see and only ``editors`` change.

    Nothing is deleted here, and the admin's own history stays empty: it would hold titles and old values.
    ``own_forms`` are the buttons of the forms that a page has beside Django's: what they send shows the page again,
    with what was opened or typed, unless ``change_view`` has answered it before.
    """

    viewers: ClassVar[frozenset[Role]] = STAFF_ROLES
    editors: ClassVar[frozenset[Role]] = frozenset()
    buttons: ClassVar[Sequence[Button]] = ()
    own_forms: ClassVar[frozenset[str]] = frozenset()
    change_form_template = "admin/case_change_form.html"
    show_full_result_count = False
    list_per_page = 50
    actions = None

    def _role(self, request: HttpRequest) -> Role:
        return request.actor.role  # type: ignore[attr-defined]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._role(request) in self.viewers | self.editors

    has_module_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._role(request) in self.editors

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._role(request) in self.editors

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """People by their ids where nothing can be changed: Django would link to a page that is not for everybody."""
        fields = super().get_fields(request, obj)
        return fields if self.has_change_permission(request, obj) else [self._without_link(name) for name in fields]

    def _without_link(self, name: Any) -> Any:
        try:
            field = self.opts.get_field(name)
        except (FieldDoesNotExist, TypeError):
            return name
        return field.attname if field.related_model is Subject else name  # type: ignore[union-attr]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """The log is ``audit``'s."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """The log is ``audit``'s."""

    def history_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        raise PermissionDenied

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            return super().change_view(request, object_id, form_url, extra_context)
        if request.method == "POST" and "_button" in request.POST:
            return self._press(request, obj)
        context = {
            "case_buttons": [button for button in self.buttons if button.is_offered(request.actor, obj)],  # type: ignore[attr-defined]
            **self.case_context(request, obj),
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django would take a POST for a change of the object: what one of our forms sent, it renders as for a GET."""
        if request.method == "POST" and not self.own_forms.isdisjoint(request.POST):
            request.method = "GET"
        return super().changeform_view(request, object_id, form_url, extra_context)

    def case_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What a case page shows beside the fields; ``case_panels`` are templates to include."""
        return {}

    def _press(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """A button that is no longer offered (a stale page, a double click) changes nothing and says so."""
        actor = request.actor  # type: ignore[attr-defined]
        button = next(
            (button for button in self.buttons if button.name == request.POST["_button"]),
            None,
        )
        if button is None or actor.role not in button.roles:
            raise PermissionDenied
        if not button.when(obj):
            messages.warning(request, TOO_LATE)
        else:
            try:
                button.action(actor, obj)
            except button.refusals as refusal:
                messages.error(request, str(refusal) or TOO_LATE)
            else:
                messages.success(request, _("Done: %(what)s.") % {"what": button.label})
        return HttpResponseRedirect(request.path)


def staff_page(request: HttpRequest, label: str, id: UUID | None) -> str:
    """Where whoever asks looks at a row of this model; nothing where there is no such page, or not for them."""
    try:
        model_admin = admin.site.get_model_admin(apps.get_model(label)) if id else None
    except (LookupError, ValueError, NotRegistered):
        return ""
    if model_admin is None or not model_admin.has_view_permission(request):
        return ""
    return reverse(f"admin:{label.replace('.', '_')}_change", args=[id])
