from django import forms
from django.utils.translation import gettext_lazy as _

from orders.basket.contents import MOST_PIECES
from privacy.access.forms import StrictForm


class AddForm(StrictForm):
    quantity = forms.IntegerField(label=_("Pieces"), min_value=1, max_value=MOST_PIECES, initial=1)


class QuantityForm(StrictForm):
    quantity = forms.IntegerField(label=_("Pieces"), min_value=0, max_value=MOST_PIECES)
