"""Error reports and log lines hold no value of a request or of an exception."""

import logging
import sys
from types import SimpleNamespace

import pytest
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter, get_exception_reporter_class

from marketplace.errors import FrameFormatter, FrameReporter, WithoutValues

MARKER = "Aisha-7c1d"


def failing(value):
    try:
        raise KeyError(value)
    except KeyError as error:
        raise ValueError(f"cannot use {value}") from error


@pytest.fixture
def error():
    try:
        failing(MARKER)
    except ValueError:
        return sys.exc_info()


@pytest.mark.promise("PROTECT-4")
def test_an_error_report_names_frames_and_classes_only(error):
    request = RequestFactory().post(f"/checkout/?q={MARKER}", {"name": MARKER}, headers={"cookie": f"a={MARKER}"})
    reporter = get_exception_reporter_class(request)(request, *error)

    assert isinstance(reporter, FrameReporter)
    for report in (reporter.get_traceback_text(), reporter.get_traceback_html()):
        assert MARKER not in report
        assert "in failing" in report
        assert "ValueError" in report


def test_djangos_own_report_with_our_filter_shows_no_request_data(error):
    request = RequestFactory().post("/checkout/", {"name": MARKER}, headers={"cookie": f"a={MARKER}", "x-name": MARKER})

    data = ExceptionReporter(request, *error).get_traceback_data()

    assert data["filtered_POST_items"] == []
    assert data["request_meta"] == {}
    assert list(data["request_COOKIES_items"]) == []
    assert data["settings"] == {}
    assert all(frame["vars"] == [] for frame in data["frames"])


@pytest.mark.promise("PROTECT-4")
def test_a_logged_exception_leaves_its_message_out(error):
    record = logging.LogRecord("django.request", logging.ERROR, __file__, 1, "Internal Server Error: %s", ("/checkout/",), error)

    line = FrameFormatter("{message}", style="{").format(record)

    assert MARKER not in line
    assert "KeyError" in line
    assert line.endswith("ValueError")


def test_a_failed_task_is_logged_without_its_arguments():
    values = {"name": "orders.pay", "id": "1", "exc": MARKER, "traceback": MARKER, "args": MARKER, "kwargs": MARKER}
    record = logging.LogRecord("celery.app.trace", logging.ERROR, __file__, 1, "Task %(name)s %(exc)s %(args)s", (values,), None)

    assert WithoutValues().filter(record)
    assert MARKER not in record.getMessage()
    assert "orders.pay" in record.getMessage()


def test_a_done_task_is_logged_without_what_it_took_and_gave():
    values = {"name": "orders.pay", "id": "1", "return_value": MARKER, "runtime": 0.1, "args": MARKER, "kwargs": MARKER}
    record = logging.LogRecord("celery.app.trace", logging.INFO, __file__, 1, "Task %(name)s: %(return_value)s %(args)s", (values,), None)

    assert WithoutValues().filter(record)
    assert record.getMessage() == "Task orders.pay: (left out) (left out)"


def test_a_refused_host_is_logged_without_its_name():
    message = f"Invalid HTTP_HOST header: {MARKER}"
    record = logging.LogRecord("django.security.DisallowedHost", logging.ERROR, __file__, 1, message, (), None)

    WithoutValues().filter(record)

    assert MARKER not in record.getMessage()


def test_a_suspicious_request_is_logged_without_the_words_of_the_exception():
    message = f"The path {MARKER} lies outside"
    record = logging.LogRecord("django.security.SuspiciousFileOperation", logging.ERROR, __file__, 1, message, (), None)

    WithoutValues().filter(record)

    assert record.getMessage() == "A request was refused: SuspiciousFileOperation."


@pytest.mark.django_db
@pytest.mark.promise("PROTECT-4")
@pytest.mark.parametrize("header", ["HTTP_REFERER", "HTTP_ORIGIN"])
def test_a_post_from_elsewhere_is_logged_without_where_from(header, caplog):
    elsewhere = f"https://elsewhere.example/{MARKER}"
    with caplog.at_level(logging.WARNING):
        page = Client(enforce_csrf_checks=True).post("/sign-in/", secure=True, **{header: elsewhere})
    [record] = [record for record in caplog.records if record.name == "django.security.csrf"]

    WithoutValues().filter(record)

    assert page.status_code == 403
    assert "elsewhere" not in record.getMessage()
    assert "checking failed" in record.getMessage()


@pytest.mark.parametrize(("route", "shown"), [("password-reset/<str:token>/", "/password-reset/<str:token>/"), (None, "(no page of ours)")])
def test_lines_about_a_request_hold_the_pattern_of_its_path(route, shown):
    request = RequestFactory().post("/password-reset/marker-token/")
    request.resolver_match = route and SimpleNamespace(route=route)
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "%s: %s", ("Unprocessable Entity", request.path), None)
    record.request = request

    assert WithoutValues().filter(record)

    assert record.getMessage() == f"Unprocessable Entity: {shown}"
