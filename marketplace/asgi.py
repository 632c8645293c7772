"""The entry point of asynchronous web servers."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from audit.security_log import write_security_log

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

application = get_asgi_application()
write_security_log(settings.SECURITY_LOG)
