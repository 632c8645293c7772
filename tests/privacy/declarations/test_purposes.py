"""The closed lists of the published policy: five categories, twelve purposes, none of them for promotion."""

import re

import pytest

from privacy.declarations import masks
from privacy.declarations.categories import CATEGORY_SCOPES, Category, Scope
from privacy.declarations.purposes import PURPOSES, Ground, Purpose

# The published table, written out by hand: ground, whether it is essential, categories.
PUBLISHED = {
    "account": ("consent", True, {"account"}),
    "order": ("consent", True, {"account", "purchase"}),
    "payment": ("consent", True, {"financial", "purchase"}),
    "dispatch": ("consent", True, {"delivery", "purchase"}),
    "returns": ("consent", True, {"purchase", "delivery", "financial"}),
    "support": ("request", False, {"interaction", "account", "purchase", "delivery"}),
    "identity": ("request", False, {"account", "interaction"}),
    "fraud": ("consent", True, {"account", "purchase", "financial", "delivery"}),
    "improvement": ("consent", False, {"interaction"}),
    "rights": ("request", False, {"account", "purchase", "delivery", "financial", "interaction"}),
    "legal": ("law", False, {"purchase", "financial"}),
    "security": ("law", False, {"account", "interaction"}),
}
UNRELATED = re.compile(
    r"market|promo|advert|newsletter|profil|resale|sell|sale|trade|broker|target|campaign|recommend|analytic|train", re.IGNORECASE
)


@pytest.mark.promise("COLLECT-2")
def test_there_are_exactly_five_categories():
    assert [category.value for category in Category] == ["account", "purchase", "delivery", "financial", "interaction"]


@pytest.mark.promise("COLLECT-2")
def test_each_category_has_a_key_of_its_own_and_so_have_records_and_log():
    assert [scope.value for scope in Scope] == [*(category.value for category in Category), "records", "log"]
    assert [scope.value for scope in CATEGORY_SCOPES] == [category.value for category in Category]


@pytest.mark.promise("COLLECT-4")
def test_the_purposes_are_those_of_the_published_table():
    table = {
        purpose.value: (rule.ground.value, rule.essential, {category.value for category in rule.categories})
        for purpose, rule in PURPOSES.items()
    }

    assert table == PUBLISHED
    assert list(PURPOSES) == list(Purpose)


@pytest.mark.promise("COLLECT-5")
def test_no_purpose_is_for_promotion_or_trade():
    for purpose, rule in PURPOSES.items():
        for words in (purpose.name, purpose.value, str(purpose.label), str(rule.explanation)):
            assert not UNRELATED.search(words), words


@pytest.mark.promise("COLLECT-5")
def test_a_purpose_outside_the_list_has_no_name():
    with pytest.raises(ValueError, match="marketing"):
        Purpose("marketing")


def test_the_law_is_cited_exactly_where_it_is_the_ground():
    assert {purpose for purpose, rule in PURPOSES.items() if rule.citation} == {
        purpose for purpose, rule in PURPOSES.items() if rule.ground == Ground.LAW
    }


@pytest.mark.promise("PROTECT-4")
def test_masks_are_constants_that_hold_no_letter_or_digit():
    for name in ("name", "email", "phone", "address", "text", "reference"):
        mask = getattr(masks, name)
        assert not any(character.isalnum() for character in mask)
        assert mask.strip() == mask
