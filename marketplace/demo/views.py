"""The demo's mailbox and the accounts to try, for everybody."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from marketplace.accounts.middleware import open_to_half_signed_in
from marketplace.demo.accounts import DEMO_ACCOUNTS, DEMO_PASSWORD, STAFF
from marketplace.demo.mail import find_mail, newest_mails
from privacy.policy.roles import Role


@open_to_half_signed_in
@require_GET
def accounts(request: HttpRequest) -> HttpResponse:
    """Who a visitor may be; nothing here is anybody's."""
    customers = [account for account in DEMO_ACCOUNTS if account.role == Role.CUSTOMER]
    return render(request, "demo/accounts.html", {"customers": customers, "staff": STAFF, "password": DEMO_PASSWORD})


@open_to_half_signed_in
@never_cache
@require_GET
def mailbox(request: HttpRequest) -> HttpResponse:
    return render(request, "demo/mailbox.html", {"mails": newest_mails()})


@open_to_half_signed_in
@never_cache
@require_GET
def message(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    mail = find_mail(mail_id)
    if mail is None:
        raise Http404
    return render(request, "demo/message.html", {"mail": mail})
