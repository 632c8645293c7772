"""The demo application; it refuses to start anywhere else."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class DemoConfig(AppConfig):
    name = "marketplace.demo"
    label = "demo"
    verbose_name = "Demo"

    def ready(self) -> None:
        if not settings.DEMO:
            raise ImproperlyConfigured("marketplace.demo is installed outside the demo.")
