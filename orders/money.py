"""Amounts are whole numbers of the currency's minor unit (ISO 4217); nothing here rounds twice."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

SHOP_CURRENCY = "EUR"
MINOR_DIGITS = {"EUR": 2, "GBP": 2, "USD": 2, "JPY": 0}
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}


def format_money(amount: int, currency: str) -> str:
    """``1290, "EUR"`` as ``€12.90``, in the way of the active language."""
    number = number_format(major_units(amount, currency), decimal_pos=MINOR_DIGITS[currency], force_grouping=True)
    return _("%(symbol)s%(number)s") % {"symbol": SYMBOLS[currency], "number": number}


def minor_units(amount: Decimal, currency: str) -> int:
    """``Decimal("12.90"), "EUR"`` as ``1290``; ``ValueError`` for a fraction of the smallest coin."""
    units = amount.scaleb(MINOR_DIGITS[currency])
    if units != units.to_integral_value():
        raise ValueError("smaller than the smallest coin")
    return int(units)


def major_units(amount: int, currency: str) -> Decimal:
    """``1290, "EUR"`` as ``Decimal("12.90")``."""
    return Decimal(amount).scaleb(-MINOR_DIGITS[currency])


def split_by_weight(total: int, weights: Sequence[int]) -> list[int]:
    """Shares of ``total`` in proportion to ``weights``, by largest remainder; they sum to ``total`` exactly.

    ``total`` and ``weights`` are not negative; if all weights are zero, the first share takes everything.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("amounts and weights are not negative")
    whole = sum(weights)
    if not weights:
        return []
    if whole == 0:
        return [total] + [0] * (len(weights) - 1)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares


def contained_tax(gross: int, basis_points: int) -> int:
    """The tax inside a gross amount, rounded half up to the minor unit."""
    divisor = 10_000 + basis_points
    return (2 * gross * basis_points + divisor) // (2 * divisor)
