"""Which addresses are the same, and the index under two keys."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.mail.rendering import render_message
from privacy.vault.blind_index import blind_index, blind_indexes, index_key_name, normalize_email
from privacy.vault.identifiers import uuid7

OTHER_KEY = b"another key of thirty-two bytes!"


@pytest.mark.promise("PROTECT-1")
def test_the_index_is_kept_under_both_keys_while_there_are_two(settings):
    before, name = blind_index("mailbox", "ada@example.org"), index_key_name()
    settings.BLIND_INDEX_KEY, settings.BLIND_INDEX_SECOND_KEY = OTHER_KEY, settings.BLIND_INDEX_KEY

    after, second = blind_indexes("mailbox", "ada@example.org")

    assert (blind_index("mailbox", "ada@example.org"), second) == (after, before)
    assert after != before
    assert index_key_name() != name
    assert len(index_key_name()) == 8


def test_one_key_is_one_digest(settings):
    assert blind_indexes("mailbox", "ada@example.org") == [blind_index("mailbox", "ada@example.org")]


@pytest.mark.parametrize(("one", "other"), [
    ("ada@example.org", "ada@example.org."),
    ("ada@example.org", "\u3000ada@EXAMPLE\u3002org"),
    ("ada@faß.example", "ADA@FASS.example".replace("FASS", "FAẞ")),
    ("ada@bücher.example", "ada@bu\u0308cher.example"),
    ("ada@ﬁsch.example", "ada@fisch.example"),
    ("ſam@example.org", "sam@example.org"),
    ("\u212aim@example.org", "kim@example.org"),
    ("ΣΊΣΥΦΟΣ@example.org", "σίσυφος@example.org"),
])  # fmt: skip
def test_forms_of_one_address_are_the_same(one, other):
    assert normalize_email(one) == normalize_email(other)


@pytest.mark.parametrize(("one", "other"), [
    ("ada@faß.example", "ada@fass.example"),
    ("mıke@example.org", "mike@example.org"),
    ("MİKE@example.org", "mike@example.org"),
    ("ada+shop@example.org", "ada@example.org"),
    ("a.da@example.org", "ada@example.org"),
    ("ada@exаmple.org", "ada@example.org"),
    ("ada@example.org", "ada@example.com"),
    ("ada@sub.example.org", "ada@example.org"),
])  # fmt: skip
def test_addresses_of_two_mailboxes_are_not(one, other):
    assert normalize_email(one) != normalize_email(other)


@given(st.emails() | st.text().map(lambda text: f"{text}@example.org") | st.text())
def test_what_was_normalized_stays_as_it_is(address):
    once = normalize_email(address)

    assert normalize_email(once) == once
    assert normalize_email(unicodedata.normalize("NFD", address)) == normalize_email(unicodedata.normalize("NFC", address))


@pytest.mark.django_db
@pytest.mark.parametrize(("address", "sent_to"), [
    ("Ada@faß.example", "Ada@xn--fa-hia.example"),
    ("Ada@Example.org", "Ada@Example.org"),
    ("Ada@الأردن.example", "Ada@xn--igbhzh7gpa.example"),
])  # fmt: skip
def test_mail_goes_to_the_domain_that_is_compared(address, sent_to):
    message = render_message("accounts-password-changed", {}, "en", address, uuid7())

    assert message.recipients() == [sent_to]
    assert message.message()["To"] == sent_to
