"""Keeps USE-3: the staff pages on which the log is read and never written."""

from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from audit.models import Checkpoint, Verification

READERS = frozenset({"auditor", "security", "privacy_officer", "administrator"})


class LogAdmin(admin.ModelAdmin):
    """Read-only, for the roles in READERS. Never counts a whole table."""

    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50
    actions = None
    change_form_template = "admin/case_change_form.html"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return getattr(request.user, "role", None) in READERS

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def history_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        raise PermissionDenied


class BoundedPaginator(Paginator):
    """Counts no further than a reader turns pages: counting a log of millions takes seconds."""

    bound = 10_000

    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet[Any], self.object_list)
        return rows[: self.bound].count()


@admin.register(Checkpoint)
class CheckpointAdmin(LogAdmin):
    """What the log said about itself and when, signed."""

    paginator = BoundedPaginator
    list_display = ["size", "signed_at", "root_hash", "key_version"]
    ordering = ["-size"]
    readonly_fields = ["size", "signed_at", "root_hash", "watermark", "key_version", "note"]
    fields = tuple(readonly_fields)

    @admin.display(description=_("root"))
    def root_hash(self, checkpoint: Checkpoint) -> str:
        return bytes(checkpoint.root).hex()


@admin.register(Verification)
class VerificationAdmin(LogAdmin):
    """Each time the log or a part of it was verified, with what was found."""

    paginator = BoundedPaginator
    list_display = ["finished_at", "kind", "result", "entries", "erased", "checkpoints", "held_size", "finding"]
    ordering = ["-finished_at"]
    readonly_fields = [field.name for field in Verification._meta.concrete_fields]
    fields = tuple(readonly_fields)
