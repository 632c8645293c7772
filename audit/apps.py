"""Keeps USE-3: asks for the log's keeper before its tables are made or changed."""

from django.apps import AppConfig
from django.db.models.signals import pre_migrate
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("log")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audit.grants import require_keeper
        from audit.publishing import places

        places()  # a place that is none stops the start
        pre_migrate.connect(require_keeper, sender=self, dispatch_uid="audit.require_keeper")
