"""What a program may be let into, as its owner reads it; nothing outside this list can be granted (PROTECT-3)."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Area(TextChoices):
    """A part of the interface; each address belongs to one, or to nobody and so to everybody."""

    ACCOUNT = "account", _("Account and security")
    ORDERS = "orders", _("Orders")
    DATA = "data", _("My data")
    PERMISSIONS = "permissions", _("Permissions")
    REQUESTS = "requests", _("Requests")
    MESSAGES = "messages", _("Messages")


class TokenScope(TextChoices):
    """One thing that a token may do. Who may write in an area may read there too: every answer shows what was changed."""

    ACCOUNT_READ = "account:read", _("See your details, your sessions and what happened to your account")
    ACCOUNT_WRITE = "account:write", _("Change your name and language, end sessions and tokens")
    ORDERS_READ = "orders:read", _("See your orders, parcels and invoices")
    ORDERS_WRITE = "orders:write", _("Cancel and return orders")
    DATA_READ = "data:read", _("See everything that we hold about you, who used it and who has it")
    PERMISSIONS_READ = "permissions:read", _("See your permissions")
    PERMISSIONS_WRITE = "permissions:write", _("Give and take back permissions")
    REQUESTS_READ = "requests:read", _("See your requests")
    REQUESTS_WRITE = "requests:write", _("Ask for a copy or a correction, and cancel what you asked for")
    MESSAGES_READ = "messages:read", _("See your messages and complaints")
    MESSAGES_WRITE = "messages:write", _("Write messages and complaints")


def scopes_for(area: Area, *, is_safe: bool) -> frozenset[str]:
    """The scopes of which a token needs one; a call that only reads takes either."""
    return frozenset({f"{area}:write", f"{area}:read"} if is_safe else {f"{area}:write"})
