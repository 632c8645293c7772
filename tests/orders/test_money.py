from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.money import contained_tax, format_money, major_units, minor_units, split_by_weight

AMOUNTS = st.integers(0, 10**9)
WEIGHTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=12)


@given(AMOUNTS, WEIGHTS)
def test_split_by_weight_shares_sum_to_total(total, weights):
    assert sum(split_by_weight(total, weights)) == total


@given(AMOUNTS, WEIGHTS)
def test_split_by_weight_is_less_than_one_unit_from_the_exact_share(total, weights):
    whole = sum(weights)

    shares = split_by_weight(total, weights)

    if whole:
        assert all(abs(share - Fraction(total * weight, whole)) < 1 for share, weight in zip(shares, weights, strict=True))


@given(AMOUNTS, WEIGHTS)
def test_split_by_weight_gives_no_less_to_a_larger_weight(total, weights):
    shares = split_by_weight(total, weights)

    if any(weights):
        by_weight = sorted(zip(weights, shares, strict=True))
        assert all(a[1] <= b[1] for a, b in pairwise(by_weight) if a[0] < b[0])


def test_split_by_weight_without_weights_is_empty():
    assert split_by_weight(0, []) == []


def test_split_by_weight_refuses_negative():
    with pytest.raises(ValueError, match="not negative"):
        split_by_weight(-1, [1])


@given(AMOUNTS, st.integers(0, 3000))
def test_contained_tax_is_the_exact_tax_rounded_half_up(gross, basis_points):
    exact = Fraction(gross * basis_points, 10_000 + basis_points)

    tax = contained_tax(gross, basis_points)

    assert exact - Fraction(1, 2) < tax <= exact + Fraction(1, 2)


@pytest.mark.parametrize(("amount", "currency", "text"), [(1290, "EUR", "€12.90"), (5, "EUR", "€0.05"), (300, "JPY", "¥300")])
def test_format_money(amount, currency, text):
    assert format_money(amount, currency) == text


@given(st.integers(0, 10**9), st.sampled_from(["EUR", "JPY"]))
def test_minor_units_and_back(amount, currency):
    assert minor_units(major_units(amount, currency), currency) == amount


def test_minor_units_refuses_a_fraction_of_a_coin():
    with pytest.raises(ValueError, match="smallest coin"):
        minor_units(Decimal("0.005"), "EUR")
