"""The demo's mailbox, for everybody who tries the demo."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from marketplace.accounts.middleware import open_to_half_signed_in
from marketplace.demo.mail import find_mail, newest_mails


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
