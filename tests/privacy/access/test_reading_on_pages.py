"""A damaged value never takes its page down, and never shows anything."""

import pytest
from django.template import Context, Template

from privacy.vault.errors import Unreadable
from tests.privacy.vault.fixtures import stored_token, write_token
from tests.privacy.vault.records import Note

PAGE = Template("{% load privacy %}{{ note.name|opened:grant }} / {{ note.email|opened:grant }}")


@pytest.mark.promise("PROTECT-4")
def test_opened_filter_says_that_a_damaged_value_cannot_be_read_and_shows_the_rest(note, own):
    token = bytearray(stored_token(note, "name"))
    token[-1] ^= 1
    write_token(note, "name", bytes(token))
    damaged = Note.objects.get(pk=note.pk)

    with own() as grant:
        page = PAGE.render(Context({"note": damaged, "grant": grant}))

        with pytest.raises(Unreadable):
            grant.open(damaged.name)

    assert page == "can no longer be read / ada@example.org"


def test_read_returns_none_for_a_damaged_value_and_the_text_of_a_sound_one(note, own):
    write_token(note, "street", stored_token(note, "body"))
    moved = Note.objects.get(pk=note.pk)

    with own() as grant:
        assert grant.read(moved.street) is None
        assert grant.read(moved.name) == "Ada Lovelace"
