from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.catalogue.models import (
    REASONS_TO_COUNT,
    REASONS_TO_RECEIVE,
    REASONS_TO_WRITE_OFF,
    Product,
    ProductCategory,
    StockItem,
    StockMovement,
)
from orders.catalogue.queries import SORTS
from orders.money import SHOP_CURRENCY, major_units, minor_units
from orders.pictures import KINDS
from privacy.access.forms import StrictForm, StrictModelForm

STAFF_BUTTONS = frozenset({"_save", "_continue", "_addanother"})
MOST_PIECES = 1_000_000


class ListForm(forms.Form):
    """The words looked for, neither stored nor logged, and the order of the list; what is not valid counts as not given."""

    q = forms.CharField(label=_("Search the shop"), max_length=80, required=False)
    sort = forms.ChoiceField(label=_("Sort by"), choices=[(key, label) for key, (label, _columns) in SORTS.items()], required=False)

    @property
    def words(self) -> str:
        self.is_valid()
        found: str = self.cleaned_data.get("q", "")
        return found

    @property
    def sort_chosen(self) -> str:
        self.is_valid()
        return self.cleaned_data.get("sort") or next(iter(SORTS))

    @property
    def address_part(self) -> str:
        """What the links to other pages of the list keep, ending in "&"."""
        kept = {"q": self.words, "sort": self.cleaned_data.get("sort", "")}
        kept = {name: value for name, value in kept.items() if value}
        return f"{urlencode(kept)}&" if kept else ""


def kind_field() -> forms.ChoiceField:
    return forms.ChoiceField(label=_("picture"), choices=[(kind, kind) for kind in sorted(KINDS)])


class ProductForm(StrictModelForm):
    """``seen`` is the version that the person began to edit; a new product also asks for its first stock."""

    submit_names = STAFF_BUTTONS

    kind = kind_field()
    price = forms.DecimalField(label=_("price with tax, in euros"), min_value=major_units(1, SHOP_CURRENCY), max_digits=8, decimal_places=2)
    on_hand = forms.IntegerField(label=_("pieces on hand"), min_value=0, max_value=MOST_PIECES)
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Product
        fields = [
            "title", "slug", "category", "kind", "price", "tax_class", "description",
            "title_de", "description_de", "title_ar", "description_ar",
        ]  # fmt: skip
        widgets = {
            **{name: forms.Textarea(attrs={"rows": 4}) for name in ("description", "description_de")},
            "description_ar": forms.Textarea(attrs={"rows": 4, "dir": "rtl", "lang": "ar"}),
            "title_ar": forms.TextInput(attrs={"dir": "rtl", "lang": "ar", "class": "vTextField"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            del self.fields["seen"]
        else:
            del self.fields["on_hand"]
            self.initial["price"] = major_units(self.instance.price, self.instance.currency)
            self.initial["seen"] = self.instance.version

    def clean_price(self) -> int:
        return minor_units(self.cleaned_data["price"], SHOP_CURRENCY)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "seen" in self.fields and cleaned.get("seen") != self.instance.version:
            raise forms.ValidationError(
                _("Somebody else has changed this product since you opened the page. Open it again in a second window and compare.")
            )
        return cleaned


class CategoryForm(StrictModelForm):
    submit_names = STAFF_BUTTONS

    kind = kind_field()

    class Meta:
        model = ProductCategory
        fields = ["title", "slug", "title_de", "title_ar", "kind", "position"]


class _MovementForm(StrictForm):
    """How many pieces, and why. ``name`` is the form's button."""

    name = ""
    reasons: tuple[StockMovement.Reason, ...] = ()

    def __init__(self, stock: StockItem, data: Any = None) -> None:
        self.stock = stock
        self.submit_names = frozenset({self.name})
        super().__init__(data, prefix=None, auto_id=f"{self.name.strip('_')}-%s")
        self.fields["reason"] = forms.ChoiceField(label=_("Reason"), choices=[(reason.value, reason.label) for reason in self.reasons])


class ReceiveForm(_MovementForm):
    name = "_receive"
    reasons = REASONS_TO_RECEIVE
    title = _("Receive")
    does = _("Adds pieces that have come into the warehouse.")

    quantity = forms.IntegerField(label=_("Pieces"), min_value=1, max_value=MOST_PIECES)


class WriteOffForm(_MovementForm):
    name = "_write_off"
    reasons = REASONS_TO_WRITE_OFF
    title = _("Write off")
    does = _("Takes out pieces that cannot be sold any more.")

    quantity = forms.IntegerField(label=_("Pieces"), min_value=1, max_value=MOST_PIECES)


class CountForm(_MovementForm):
    """``seen`` is what the books said when the person counted."""

    name = "_count"
    reasons = REASONS_TO_COUNT
    title = _("Count")
    does = _("Sets the books to what really lies in the warehouse, pieces promised to orders included.")

    counted = forms.IntegerField(label=_("Pieces counted"), min_value=0, max_value=MOST_PIECES)
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, stock: StockItem, data: Any = None) -> None:
        super().__init__(stock, data)
        self.fields["seen"].initial = stock.on_hand


MOVEMENT_FORMS: tuple[type[_MovementForm], ...] = (ReceiveForm, WriteOffForm, CountForm)
