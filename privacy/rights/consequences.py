"""What stops when a permission is withdrawn, said before it happens (RIGHTS-4)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.declarations.purposes import Purpose

STOPS: dict[Purpose, Promise] = {
    Purpose.ACCOUNT: _("We send you no more mails about your account, not even to choose a new password."),
    Purpose.ORDER: _("You cannot place new orders. We can no longer write to you about orders on their way."),
    Purpose.PAYMENT: _("You cannot pay, so you cannot place new orders. Payments under way cannot be finished."),
    Purpose.DISPATCH: _("We can no longer read your address. Parcels that have not left us stay here."),
    Purpose.RETURNS: _("You cannot return anything or get money back through this site."),
    Purpose.FRAUD: _("We can no longer check orders for misuse, so you cannot place new ones."),
    Purpose.IMPROVEMENT: _("We stop using what you do on this site to improve it. Nothing changes for you."),
}
