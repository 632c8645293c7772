"""An invitation to join the staff, followed by whoever reads the mailbox."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marketplace.accounts.actions import accept_invitation
from marketplace.accounts.errors import MailboxTaken, TokenInvalid
from marketplace.accounts.forms import InvitationForm
from marketplace.accounts.models import AccountToken
from marketplace.accounts.tokens import find_token
from marketplace.accounts.views.second_factor import begin_enrollment
from privacy.access.places import at_the_gate


@at_the_gate("a mailed link, whose account is not known yet")
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """GET only asks. What follows is the second factor; until it is set up, nothing opens."""
    form = InvitationForm(request.POST if request.method == "POST" else None)
    try:
        invited = find_token(token, AccountToken.Kind.INVITE).user
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            user = accept_invitation(
                by=request.actor,  # type: ignore[attr-defined]
                token=token,
                name=given["name"],
                password=given["password"],
            )
            return begin_enrollment(request, user)
    except TokenInvalid:
        return render(request, "accounts/link_invalid.html", {"what": "invitation"}, status=410)
    except MailboxTaken:
        return render(request, "accounts/mailbox_taken.html", status=409)
    context = {"form": form, "role": invited.get_role_display()}
    return render(request, "accounts/invitation.html", context, status=422 if form.errors else 200)
