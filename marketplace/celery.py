"""The task queue."""

import os

from celery import Celery
from celery.signals import heartbeat_sent, setup_logging, worker_ready
from django.conf import settings

from audit.security_log import write_security_log

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

app = Celery("marketplace")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_logging(**_: object) -> None:
    """Celery leaves logging alone when somebody listens here: Django's settings have configured it."""
    write_security_log(settings.SECURITY_LOG)


@worker_ready.connect
@heartbeat_sent.connect
def show_worker_pulse(**_: object) -> None:
    """The worker's main process lives, however busy its children are."""
    from marketplace.pulse import show_pulse

    show_pulse("worker")
