"""The site and its staff site as Django applications."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class StaffSiteConfig(AdminConfig):
    """Django's admin, showing our staff site instead of its own."""

    default_site = "marketplace.admin.StaffSite"


class MarketplaceConfig(AppConfig):
    """The site itself: commands, templates and the connection to the task queue."""

    name = "marketplace"
    verbose_name = _("Marketplace")

    def ready(self) -> None:
        from marketplace.celery import app

        app.set_default()  # the web server's threads send tasks too
