"""Why an order stays as it is; the text of each is for people and names nobody."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class TransitionRefused(Exception):
    """The order is not in a state that allows this; nothing was changed."""

    words: Promise = _("Nothing was changed: the order is no longer in a state that allows this.")

    def __init__(self, state: str = "") -> None:
        super().__init__(state)
        self.state = state

    def __str__(self) -> str:
        return str(self.words)


class PaymentNotCaptured(TransitionRefused):
    """Goods leave only when the money is here."""

    words = _("Nothing was changed: the payment has not been taken yet.")


class PaymentGivenBack(TransitionRefused):
    """All of the money was given back, so the goods stay here."""

    words = _("Nothing was changed: all of the money has been given back. Cancel the order instead.")


class LabelMissing(TransitionRefused):
    """The carrier has not given a label yet."""

    words = _("Nothing was changed: the carrier has not given a label yet.")


class RefundTooLarge(TransitionRefused):
    """More than what was captured and not yet given back."""

    words = _("Nothing was changed: that is more than was taken and not yet given back.")


class MoneyMoved(TransitionRefused):
    """What can be given back is no longer what the page showed: a double click, or somebody else was faster."""

    words = _("Nothing was changed: money has moved since this page was shown. Please look again.")


class ParcelPacked(TransitionRefused):
    """The customer may cancel only before the parcel is packed."""

    words = _("Nothing was changed: the parcel is packed.")


class OrderOfNobody(Exception):
    """The order is not connected with a person any more."""
