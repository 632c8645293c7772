"""Error reports and log lines that cannot carry a person's data: where it failed and as what, never with which values.

The message of an exception is left out too: drivers and validators quote the value they refuse.
"""

import logging
import traceback
from collections.abc import ItemsView
from types import TracebackType
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from audit.security_log import address_of

OF_TASKS = frozenset({"exc", "traceback", "args", "kwargs", "return_value"})


def name_of(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def frames_of(error: BaseException | None, trace: TracebackType | None) -> str:
    """The chain of an exception as file, line and function, each exception named by its class alone."""
    if error is None:
        return ""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{frames_of(cause, cause.__traceback__)}\nthen:\n" if cause else ""
    return f"{before}{''.join(traceback.format_tb(trace))}{name_of(type(error))}"


class NothingPersonalFilter(SafeExceptionReporterFilter):
    """Shows no variable, parameter, cookie, header or setting."""

    def get_safe_settings(self) -> dict[str, Any]:
        return {}

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: Any) -> ItemsView[str, Any]:
        return {}.items()


class FrameReporter(ExceptionReporter):
    """Reports where an error happened and nothing of the request that met it."""

    def get_traceback_text(self) -> SafeString:
        return mark_safe(frames_of(self.exc_value, self.tb))  # noqa: S308 - plain text: names from our own source, no input

    def get_traceback_html(self) -> SafeString:
        return format_html("<pre>{}</pre>", str(self.get_traceback_text()))


class FrameFormatter(logging.Formatter):
    """Formats exceptions as frames and class names."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        return frames_of(ei[1], ei[2])


class WithoutValues(logging.Filter):
    """Takes the exception's text, the arguments, the path and the host out of lines that libraries write with them."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest) and isinstance(record.args, tuple):
            record.args = tuple(address_of(request) if value == request.path else value for value in record.args)
        if isinstance(record.args, dict) and record.name.startswith("celery."):
            record.args = {**record.args, **dict.fromkeys(OF_TASKS & record.args.keys(), "(left out)")}
        if record.name == "django.security.csrf" and isinstance(record.args, tuple):  # "... checking failed - <the header>"
            record.args = tuple(str(value).partition(" - ")[0] for value in record.args)
        elif record.name == "django.security.DisallowedHost":
            record.msg, record.args = "A request named a host that is not served.", ()
        elif record.name.startswith("django.security."):  # the message is the exception's
            record.msg, record.args = "A request was refused: %s.", (record.name.rpartition(".")[2],)
        return True
