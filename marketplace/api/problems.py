"""How a refusal reads: Problem Details (RFC 9457) from one table, in words that never repeat what was sent.

An error of a room is found in the table by its class. One that is not in it is a fault of the program: 500.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import exceptions as django_errors
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.log import log_response
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions as framework_errors

from audit.record import request_id
from marketplace.accounts import errors as account_errors
from marketplace.api import errors
from orders.lifecycle.errors import TransitionRefused
from orders.payments.errors import NothingToRetry
from orders.withdrawals import errors as withdrawal_errors
from privacy.access.errors import AccessDenied
from privacy.access.units import current_unit
from privacy.complaints import errors as complaint_errors
from privacy.consent.errors import NotConsentable, WordsChanged
from privacy.interface.serializers import QueryInvalid
from privacy.policy.errors import NoPolicyInForce
from privacy.rights import errors as rights_errors
from privacy.vault.errors import KeyDestroyed, Unreadable, VaultUnavailable

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """One kind of refusal, as the reference explains it."""

    code: str
    status: int
    title: Promise
    detail: Promise

    @property
    def type(self) -> str:
        return f"{settings.SITE_URL}{reverse('api:reference')}#problem-{self.code}"


_ALL = (
    Problem("malformed", 400, _("The call cannot be read"), _("The body is no valid JSON, or not what its Content-Type says.")),
    Problem("key-missing", 400, _("The Idempotency-Key is missing"), _("Send a random Idempotency-Key with every POST and PATCH.")),
    Problem("key-malformed", 400, _("The Idempotency-Key has the wrong form"), _("Send 8 to 128 letters, digits, dots or dashes.")),
    Problem("not-signed-in", 401, _("Nobody is signed in"), _("Send a token, or call from a signed-in browser.")),
    Problem("token-refused", 401, _("The token does not work"), _("It has expired, was ended, or never existed.")),
    Problem("staff", 403, _("Not for members of staff"), _("Members of staff work on the staff site.")),
    Problem("scope-missing", 403, _("The token may not do this"), _("Make a token with the scope that this call names.")),
    Problem("session-needed", 403, _("A token is not enough"), _("This wants your password, in a signed-in browser.")),
    Problem("link-too-old", 403, _("We need a new link"), _("You followed your last one more than 15 minutes ago.")),
    Problem("cross-site", 403, _("The call has no CSRF token"), _("A call in a browser's session sends the X-CSRFToken header.")),
    Problem("not-open", 403, _("This cannot be opened"), _("A permission is missing or was taken back, or your data has been erased.")),
    Problem("not-found", 404, _("Not found"), _("There is no such thing, or it is not yours.")),
    Problem("method", 405, _("This address does not take that method"), _("The Allow header names those it takes.")),
    Problem("not-acceptable", 406, _("Not in that form"), _("Answers are JSON.")),
    Problem("already-asked", 409, _("You have asked for this already"), _("The same request is open; you find it in your list.")),
    Problem("too-late", 409, _("Too late"), _("It has begun or ended, so this can no longer be done.")),
    Problem("state", 409, _("Not in this state"), _("What you want to change is no longer in a state that allows it.")),
    Problem("ticket", 409, _("Not with this message"), _("Its state does not allow it, or there are too many.")),
    Problem("words-changed", 409, _("These words have changed"), _("Read the words again and send their fingerprint.")),
    Problem("copy-not-ready", 409, _("The copy is not ready"), _("It is still being made, or could not be made.")),
    Problem("call-under-way", 409, _("The same call is under way"), _("The first call with this Idempotency-Key is still running.")),
    Problem("gone", 410, _("Gone"), _("Its time is over and it has been deleted.")),
    Problem("too-large", 413, _("Too large"), _("The body is larger than we take.")),
    Problem("media-type", 415, _("We cannot read that Content-Type"), _("Send JSON.")),
    Problem("invalid", 422, _("Some of it is not right"), _("Each entry of errors says what, and where.")),
    Problem("wrong-password", 422, _("This is not your password"), _("After five wrong ones you must wait a quarter of an hour.")),
    Problem("file", 422, _("We do not take this file"), _("It is empty, damaged, too large, or of another type.")),
    Problem("key-reused", 422, _("This Idempotency-Key came with another call"), _("Take a new key for every new call.")),
    Problem("too-many-attempts", 429, _("Wrong too often"), _("Wait a quarter of an hour, then try again.")),
    Problem("too-many-mails", 429, _("Too many mails"), _("We write to one mailbox a few times an hour at most. Try again later.")),
    Problem("fault", 500, _("Something went wrong on our side"), _("Nothing was changed. Quote the instance when you write to us.")),
    Problem("unreadable", 500, _("A stored value cannot be read"), _("It is damaged. We know of it. Nothing was changed.")),
    Problem("no-policy", 503, _("No policy is in force yet"), _("The shop has not been set up.")),
    Problem("vault", 503, _("The keys to your data cannot be reached"), _("Nothing was changed. Try again in a few minutes.")),
)
PROBLEMS: Mapping[str, Problem] = {problem.code: problem for problem in _ALL}
QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"

# The nearest class in an error's own order of ancestors counts.
_CODES: Mapping[type[Exception], str] = {
    framework_errors.ParseError: "malformed",
    framework_errors.NotAuthenticated: "not-signed-in",
    framework_errors.AuthenticationFailed: "token-refused",
    framework_errors.NotFound: "not-found",
    framework_errors.MethodNotAllowed: "method",
    framework_errors.NotAcceptable: "not-acceptable",
    framework_errors.UnsupportedMediaType: "media-type",
    framework_errors.ValidationError: "invalid",
    django_errors.ValidationError: "invalid",
    django_errors.RequestDataTooBig: "too-large",
    django_errors.BadRequest: "malformed",
    django_errors.SuspiciousOperation: "malformed",
    Http404: "not-found",
    errors.StaffRefused: "staff",
    errors.ScopeMissing: "scope-missing",
    errors.SessionNeeded: "session-needed",
    errors.CrossSiteCall: "cross-site",
    errors.ParameterUnknown: "invalid",
    errors.KeyMissing: "key-missing",
    errors.KeyMalformed: "key-malformed",
    errors.KeyReused: "key-reused",
    errors.CallUnderWay: "call-under-way",
    account_errors.NotAllowed: "not-found",
    account_errors.SessionUnknown: "not-found",
    account_errors.TooManyMails: "too-many-mails",
    AccessDenied: "not-open",
    KeyDestroyed: "gone",
    Unreadable: "unreadable",
    VaultUnavailable: "vault",
    NotConsentable: "not-found",
    NoPolicyInForce: "no-policy",
    WordsChanged: "words-changed",
    rights_errors.NotYourData: "not-found",
    rights_errors.AlreadyRequested: "already-asked",
    rights_errors.TooLate: "too-late",
    rights_errors.NotCorrectable: "not-found",
    rights_errors.NothingChosen: "not-found",
    rights_errors.LinkTooOld: "link-too-old",
    rights_errors.CopyNotReady: "copy-not-ready",
    rights_errors.CopyGone: "gone",
    rights_errors.WrongPassword: "wrong-password",
    rights_errors.TooManyAttempts: "too-many-attempts",
    TransitionRefused: "state",
    withdrawal_errors.NotAllowed: "not-found",
    complaint_errors.TicketRefused: "ticket",
    complaint_errors.NotYourTicket: "not-found",
    complaint_errors.UnknownAbout: "not-found",
    complaint_errors.PersonErased: "not-open",
    complaint_errors.FileRefused: "file",
    FileNotFoundError: "gone",
    NothingToRetry: "state",
}

# Every word about a field comes from here. The framework's own quote the value that they refuse.
_WORDS: Mapping[str, Promise] = {
    "required": _("This is missing."),
    "null": _("This cannot be empty."),
    "blank": _("This cannot be empty."),
    "empty": _("This cannot be empty."),
    "max_length": _("This is too long."),
    "min_length": _("This is too short."),
    "max_value": _("This is too large."),
    "min_value": _("This is too small."),
    "invalid_choice": _("This is none of the choices."),
    "not_a_list": _("A list is wanted here."),
    "not_a_dict": _("An object is wanted here."),
    "password_too_short": _("This is too short."),
    "password_too_common": _("This password is among those that are tried first."),
}
_ANY_WORDS = _("This does not have the form that we take.")


def answer_problem(request: HttpRequest, problem: Problem, *, type: str = "", **more: Any) -> JsonResponse:
    """The problem as a response; ``instance`` is the number under which the log knows the call."""
    body = {
        "type": type or problem.type,
        "title": str(problem.title),
        "status": problem.status,
        "detail": str(problem.detail),
        "instance": f"urn:uuid:{request_id.get()}",
        **more,
    }
    response = JsonResponse(body, status=problem.status, content_type=CONTENT_TYPE, json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = "no-store"
    return response


def answer_error(error: Exception, context: Mapping[str, Any]) -> JsonResponse:
    """The framework asks here for every error of a view. Nothing that the call did is kept but its refusals."""
    current_unit().failed = True
    request = context["request"]
    response = _answer_throttled(request, error) if isinstance(error, framework_errors.Throttled) else _answer(request, error)
    if auth_header := getattr(error, "auth_header", ""):
        response["WWW-Authenticate"] = auth_header
    return response


def _answer(request: Any, error: Exception) -> JsonResponse:
    problem = problem_of(error)
    if problem.code == "invalid":
        return answer_problem(request, problem, errors=list(_errors_in(error)))
    response = answer_problem(request, problem, detail=_own_words(error) or str(problem.detail))
    if problem.code == "fault":
        _report(request, error, response)
    return response


def _own_words(error: Exception) -> str:
    """What the rooms say to people about this very case; fixed texts that name nobody."""
    return str(error.words) if isinstance(error, TransitionRefused | complaint_errors.TicketRefused) else ""


def _answer_throttled(request: Any, error: framework_errors.Throttled) -> JsonResponse:
    problem = Problem("quota", 429, _("Too many calls"), _("Wait as long as the Retry-After header says."))
    response = answer_problem(request, problem, type=QUOTA_EXCEEDED, **{"violated-policies": ["calls"]})
    response["Retry-After"] = str(int(getattr(error, "wait", None) or 60))
    return response


def problem_of(error: Exception) -> Problem:
    """The row of the table for the nearest class of this error."""
    code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), "fault")
    return PROBLEMS[code]


def _report(request: Any, error: Exception, response: JsonResponse) -> None:
    """As the framework below does for pages, which never hears of an error that is answered here."""
    call = getattr(request, "_request", request)
    got_request_exception.send(sender=None, request=call)
    log_response("%s: %s", response.reason_phrase, call.path, response=response, request=call, exception=error)


def _errors_in(error: Exception) -> Iterator[dict[str, str]]:
    if isinstance(error, errors.ParameterUnknown):
        yield {"parameter": "", "detail": str(_("Only these parameters are taken here: %(known)s.")) % {"known": error.known}}
    elif isinstance(error, QueryInvalid):
        for name, details in error.named.items():
            yield {"parameter": name, "detail": _words(details[0])}
    elif isinstance(error, framework_errors.ValidationError):
        yield from _flat(error.detail)
    elif isinstance(error, django_errors.ValidationError):
        yield from _flat_model_error(error)


def _flat(detail: Any, path: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flat(inner, path if name == "non_field_errors" else (*path, str(name)))
    elif isinstance(detail, list | tuple):
        for position, inner in enumerate(detail):
            yield from _flat(inner, path if not isinstance(inner, Mapping | list | tuple) else (*path, str(position)))
    else:
        yield {"pointer": _pointer(path), "detail": _words(detail)}


def _words(detail: framework_errors.ErrorDetail) -> str:
    if detail.code == "unknown_field":
        return str(_("Only these fields are taken here: %(known)s.")) % {"known": detail}
    return str(_WORDS.get(str(detail.code), _ANY_WORDS))


def _flat_model_error(error: django_errors.ValidationError) -> Iterator[dict[str, str]]:
    fields: Iterable[tuple[str, list[django_errors.ValidationError]]]
    fields = error.error_dict.items() if hasattr(error, "error_dict") else [("", error.error_list)]
    for name, several in fields:
        for one in several:
            yield {"pointer": _pointer((name,) if name else ()), "detail": str(_WORDS.get(one.code or "", _ANY_WORDS))}


def _pointer(path: tuple[str, ...]) -> str:
    """A JSON pointer as a fragment (RFC 6901 section 6)."""
    return "#" + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path)
