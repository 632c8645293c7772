from django import forms
from django.utils.translation import gettext_lazy as _

from orders.catalogue.models import Product
from orders.money import SHOP_CURRENCY, major_units, minor_units
from orders.pictures import KINDS


class SearchForm(forms.Form):
    """The words looked for; they are neither stored nor logged."""

    q = forms.CharField(label=_("Search the shop"), max_length=80, required=False)


class ProductForm(forms.ModelForm):
    kind = forms.ChoiceField(label=_("picture"), choices=[(kind, kind) for kind in sorted(KINDS)])
    price = forms.DecimalField(label=_("price with tax, in euros"), min_value=major_units(1, SHOP_CURRENCY), max_digits=8, decimal_places=2)
    on_hand = forms.IntegerField(label=_("pieces on hand"), min_value=0, max_value=1_000_000)

    class Meta:
        model = Product
        fields = ["title", "slug", "description", "kind", "price", "tax_class", "is_active"]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not self.instance._state.adding:
            self.fields["on_hand"].initial = self.instance.stock.on_hand
            self.initial["price"] = major_units(self.instance.price, self.instance.currency)

    def clean_price(self) -> int:
        return minor_units(self.cleaned_data["price"], SHOP_CURRENCY)

    def clean_on_hand(self) -> int:
        on_hand = self.cleaned_data["on_hand"]
        if not self.instance._state.adding and on_hand < self.instance.stock.reserved:
            raise forms.ValidationError(
                _("Orders have reserved %(count)s pieces: count at least these."),
                params={"count": self.instance.stock.reserved},
            )
        return on_hand
