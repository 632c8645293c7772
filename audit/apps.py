"""Keeps USE-3: installs the log's grants whenever its tables are made or changed."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("log")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audit.grants import install_grants

        post_migrate.connect(install_grants, sender=self, dispatch_uid="audit.grants")
