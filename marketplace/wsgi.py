"""The entry point of web servers."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from audit.security_log import write_security_log

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

application = get_wsgi_application()
write_security_log(settings.SECURITY_LOG)
