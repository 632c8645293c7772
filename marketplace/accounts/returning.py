"""Where somebody was going: a page of ours, and nothing else that a link may claim."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def way_back(request: HttpRequest) -> str:
    """The path that the form or the link names as ``next`` when it leads to this site, else nothing."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    # A path only: redirect() takes a bare word for the name of a page and fails.
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else ""
