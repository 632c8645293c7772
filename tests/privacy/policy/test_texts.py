"""The words of the first version, in each language."""

import pytest

from privacy.policy.promises import PROMISES
from privacy.policy.texts import words_of_version

LOCALES = ("en", "de", "ar")
SHAPE = {"id", "heading", "paragraphs", "promises"}


def test_words_of_version_gives_every_language():
    assert sorted(words_of_version(1)) == sorted(LOCALES)


def test_words_of_version_is_empty_for_a_version_that_nobody_wrote():
    assert words_of_version(99) == {}


@pytest.mark.promise("CHANGE-5")
@pytest.mark.parametrize("locale", LOCALES)
def test_each_promise_is_made_in_exactly_one_section(locale):
    sections = words_of_version(1)[locale]["sections"]

    made = [promise for section in sections for promise in section["promises"]]

    assert sorted(made) == sorted(PROMISES)


@pytest.mark.parametrize("locale", LOCALES)
def test_sections_have_the_published_shape(locale):
    words = words_of_version(1)[locale]

    assert set(words) == {"title", "summary", "sections"}
    assert 5 <= len(words["summary"]) <= 7
    assert all(set(section) == SHAPE and section["paragraphs"] for section in words["sections"])


@pytest.mark.parametrize("locale", LOCALES)
def test_every_section_of_promises_keeps_to_its_group(locale):
    for section in words_of_version(1)[locale]["sections"]:
        groups = {PROMISES[promise].group.value.lower() for promise in section["promises"]}
        assert groups <= {section["id"]}


def test_languages_have_the_same_sections_with_as_many_paragraphs():
    shapes = [
        [(section["id"], len(section["paragraphs"]), section["promises"]) for section in words["sections"]]
        for words in words_of_version(1).values()
    ]

    assert all(shape == shapes[0] for shape in shapes)
