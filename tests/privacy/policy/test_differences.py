"""What differs between two texts, word by word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.policy.differences import ADDED, REMOVED, SAME, Piece, compare_sections, compare_summaries, compare_words, is_changed

WORDS = st.lists(st.sampled_from(["we", "ask", "you", "never", "keep", "it"]), max_size=12).map(" ".join)


def side(pieces, *kinds):
    return " ".join(piece.words for piece in pieces if piece.kind in kinds)


def test_compare_words_marks_what_came_and_what_went():
    pieces = compare_words("We keep it for 8 years.", "We keep it sealed for 6 years.")

    assert pieces == [
        Piece(SAME, "We keep it"),
        Piece(ADDED, "sealed"),
        Piece(SAME, "for"),
        Piece(REMOVED, "8"),
        Piece(ADDED, "6"),
        Piece(SAME, "years."),
    ]


@given(old=WORDS, new=WORDS)
def test_both_texts_can_be_read_from_the_pieces(old, new):
    pieces = compare_words(old, new)

    assert side(pieces, SAME, REMOVED) == old
    assert side(pieces, SAME, ADDED) == new
    assert is_changed(pieces) is (old != new)


def part(id, *paragraphs, heading=None):
    return {"id": id, "heading": heading or id, "paragraphs": list(paragraphs)}


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ([part("a", "x")], [part("a", "x")], [("a", "same")]),
        ([part("a", "x")], [part("a", "y")], [("a", "changed")]),
        ([part("a", "x")], [part("a", "x", heading="A!")], [("a", "changed")]),
        ([part("a", "x")], [part("a", "x"), part("b", "y")], [("a", "same"), ("b", "added")]),
        ([part("a", "x"), part("b", "y")], [part("b", "y")], [("a", "removed"), ("b", "same")]),
    ],
)
def test_compare_sections_says_how_each_part_changed(old, new, kinds):
    assert [(difference.id, difference.kind) for difference in compare_sections(old, new)] == kinds


def test_parts_that_changed_places_stand_once():
    assert [difference.id for difference in compare_sections([part("a"), part("b")], [part("b"), part("a")])] in (["a", "b"], ["b", "a"])


def test_a_new_paragraph_between_others_is_new_as_a_whole():
    [difference] = compare_sections([part("a", "one", "two")], [part("a", "one", "and a half", "two")])

    assert difference.paragraphs == [[Piece(SAME, "one")], [Piece(ADDED, "and a half")], [Piece(SAME, "two")]]


def test_summaries_are_compared_sentence_by_sentence():
    assert compare_summaries(["a", "b"], ["b"]) == [[Piece(REMOVED, "a")], [Piece(SAME, "b")]]
