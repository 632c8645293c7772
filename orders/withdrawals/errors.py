"""Why a withdrawal stays as it is; the text of each is for people and names nobody."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from orders.lifecycle.errors import TransitionRefused


class NothingLeft(TransitionRefused):
    """Every piece of the order has been given up, or was never bought."""

    words = _("Nothing was changed: the purchase of these pieces is canceled already.")


class FormOfAnotherOrder(TransitionRefused):
    """The form was sent for another order before."""


class LateUndecided(TransitionRefused):
    """It was declared after the deadline, and nobody has accepted it yet."""

    words = _("Nothing was changed: it came after the deadline. Accept it with a reason first, or name the exemption.")


class GoodsStillHere(TransitionRefused):
    """The parcel has not left, so nothing can come back."""

    words = _("Nothing was changed: the parcel has not left the house.")


class NotInTime(TransitionRefused):
    """This answer is for declarations after the deadline alone."""

    words = _("Nothing was changed: it was declared in time.")


class NotAllowed(Exception):
    """Somebody else's order, or a moment that only staff may enter."""
