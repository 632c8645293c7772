"""How gunicorn serves the site. No access log: it would hold addresses."""

import os
import sys
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from marketplace.errors import frames_of


class LogWithoutValues(Logger):
    """Leaves out what gunicorn would say of a request: who sent it, its first line, the text of an exception."""

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        if msg.startswith("Invalid request from"):  # the address is in the text already
            msg, args = "A request was malformed.", ()
        super().warning(msg, *args, **kwargs)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        error = sys.exception()
        super().error("A request failed.\n%s", frames_of(error, error.__traceback__ if error else None))


bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 5
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
accesslog = None
errorlog = "-"
logger_class = LogWithoutValues
loglevel = "warning"
forwarded_allow_ips = os.environ.get("PROXY_ADDRESSES", "127.0.0.1")
