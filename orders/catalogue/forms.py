from django import forms
from django.utils.translation import gettext_lazy as _

from orders.catalogue.models import Product
from orders.pictures import KINDS


class SearchForm(forms.Form):
    """The words looked for; they are neither stored nor logged."""

    q = forms.CharField(label=_("Search the shop"), max_length=80, required=False)


class ProductForm(forms.ModelForm):
    kind = forms.ChoiceField(label=_("picture"), choices=[(kind, kind) for kind in sorted(KINDS)])
    on_hand = forms.IntegerField(label=_("pieces on hand"), min_value=0, max_value=1_000_000)

    class Meta:
        model = Product
        fields = ["title", "slug", "description", "kind", "price", "tax_class", "is_active"]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not self.instance._state.adding:
            self.fields["on_hand"].initial = self.instance.stock.on_hand

    def clean_on_hand(self) -> int:
        on_hand = self.cleaned_data["on_hand"]
        if not self.instance._state.adding and on_hand < self.instance.stock.reserved:
            raise forms.ValidationError(
                _("Orders have reserved %(count)s pieces: count at least these."),
                params={"count": self.instance.stock.reserved},
            )
        return on_hand
