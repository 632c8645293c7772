from django.utils.translation import gettext_lazy as _

from orders.checkout.forms import method_field
from privacy.access.forms import StrictForm


class CancelForm(StrictForm):
    """Nothing to fill in: the button is the answer."""


class RetryForm(StrictForm):
    method = method_field()
    method.label = _("Pay with")
