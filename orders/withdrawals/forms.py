from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from orders.lifecycle.models import OrderLine
from orders.withdrawals.models import ContractWithdrawal
from privacy.access.forms import StrictForm


class StatementForm(StrictForm):
    """How many pieces of each line are given up, all of them to begin with. No reason is asked for."""

    submit_names = frozenset({"confirm"})

    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, left: Mapping[OrderLine, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = list(left)
        for line, pieces in left.items():
            self.fields[_name(line)] = _pieces_field(line, pieces)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not any(self.quantities.values()):
            raise forms.ValidationError(gettext("Choose at least one piece."))
        return cleaned

    @property
    def quantities(self) -> dict[UUID, int]:
        return {line.pk: self.cleaned_data[_name(line)] for line in self.lines}

    def line_fields(self) -> list[forms.BoundField]:
        return [self[_name(line)] for line in self.lines]


class ExemptionForm(StrictForm):
    """The exception that the law makes; the buyer reads its words."""

    submit_names = frozenset({"_exempt"})

    exemption = forms.ChoiceField(label=_("Exception in the law"), choices=ContractWithdrawal.Exemption)


class LateForm(StrictForm):
    """Why a declaration after the deadline counts all the same."""

    submit_names = frozenset({"_accept_late"})

    reason = forms.ChoiceField(label=_("Why it counts"), choices=ContractWithdrawal.LateReason)


def _name(line: OrderLine) -> str:
    return f"line_{line.position}"


def _pieces_field(line: OrderLine, left: int) -> forms.IntegerField:
    hint = ngettext("1 piece. Enter 0 to keep it.", "%(pieces)s pieces. Enter 0 to keep them all.", left)
    return forms.IntegerField(
        label=line.title,
        min_value=0,
        max_value=left,
        initial=left,
        help_text=hint % {"pieces": left},
        error_messages={"required": gettext("Enter a number, 0 for none.")},
    )
