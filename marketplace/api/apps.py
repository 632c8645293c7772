"""The interface for programs as a Django application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "marketplace.api"
    label = "api"
    verbose_name = _("Interface for programs")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from marketplace.api.repetition import forget_old_calls
        from privacy.interface.serializers import refuse_sealed_model_fields
        from privacy.retention.registry import register_cleanup

        refuse_sealed_model_fields()
        register_cleanup("repeated calls", forget_old_calls)
