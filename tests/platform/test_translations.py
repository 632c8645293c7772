"""The catalogs: what is collected, what counts as complete, and what Django makes of them."""

import gettext

import pytest

from marketplace import translations
from marketplace.translations import catalog_path, compile_catalogs, languages, problems, source_messages, update_catalog

CODE = """
from django.utils.translation import gettext_lazy as _, ngettext, pgettext
A = _("a sentence " "in two pieces")
B = ngettext("%(number)d day", "%(number)d days", 3) % {"number": 3}
C = pgettext("verb", "open")
D = _(A)
"""
PAGE = """{% load i18n %}<p>{% translate "it's here" %}</p>
{% blocktranslate trimmed count number=n %}
  one {{ number }} thing
{% plural %}
  {{ number }} things
{% endblocktranslate %}{% include "x.html" with label=_("a label") %}"""


@pytest.fixture
def tree(tmp_path, settings):
    for folder in (*translations.APPS, "templates"):
        (tmp_path / folder).mkdir()
    (tmp_path / "orders" / "words.py").write_text(CODE)
    (tmp_path / "templates" / "page.html").write_text(PAGE)
    settings.BASE_DIR = tmp_path
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    return tmp_path


def translate(language: str, words: dict[str, tuple[str, ...] | str]) -> None:
    path = catalog_path(language)
    catalog = translations._read(language)
    for message in catalog:
        source = translations._source(message)[0]
        if source in words:
            message.string = words[source]
    with path.open("wb") as out:
        translations.write_po(out, catalog)


COMPLETE = {
    "a sentence in two pieces": "ein Satz",
    "%(number)d day": ("%(number)d Tag", "%(number)d Tage"),
    "open": "öffnen",
    "it's here": "es ist da",
    "one %(number)s thing": ("ein Ding", "%(number)s Dinge"),
    "a label": "ein Schild",
}


def test_messages_are_collected_from_code_and_templates(tree):
    found = {(message.context, translations._source(message)) for message in source_messages() if message.id}

    assert found == {
        (None, ("a sentence in two pieces",)),
        (None, ("%(number)d day", "%(number)d days")),
        ("verb", ("open",)),
        (None, ("it's here",)),
        (None, ("one %(number)s thing", "%(number)s things")),
        (None, ("a label",)),
    }


def test_a_language_is_complete_when_everything_is_translated(tree):
    update_catalog("de")
    assert len(problems("de")) == len(COMPLETE)

    translate("de", COMPLETE)

    assert problems("de") == []


@pytest.mark.parametrize(
    ("source", "target", "fault"),
    [
        ("a label", "", "missing"),
        ("%(number)d day", ("%(number)d Tag", ""), "missing"),
        ("%(number)d day", ("%(zahl)d Tag", "%(number)d Tage"), "unknown placeholder"),
    ],
)
def test_a_translation_that_does_not_fit_is_named(tree, source, target, fault):
    update_catalog("de")

    translate("de", COMPLETE | {source: target})

    assert [line.partition(":")[0] for line in problems("de")] == [fault]


def test_a_message_that_nobody_says_any_more_is_named_and_then_dropped(tree):
    update_catalog("de")
    translate("de", COMPLETE)
    (tree / "templates" / "page.html").write_text(PAGE.replace("a label", "a new label"))

    before = problems("de")
    update_catalog("de")

    assert [line.partition(":")[0] for line in before] == ["missing", "nobody says this any more"]
    assert problems("de") == ["missing: 'a new label'"]


def test_catalogs_are_compiled_once(tree):
    update_catalog("de")
    translate("de", COMPLETE)

    assert compile_catalogs() == ["de"]
    assert compile_catalogs() == []
    with catalog_path("de").with_suffix(".mo").open("rb") as compiled:
        german = gettext.GNUTranslations(compiled)
    assert german.gettext("it's here") == "es ist da"
    assert german.ngettext("%(number)d day", "%(number)d days", 2) == "%(number)d Tage"


def test_collecting_twice_changes_nothing(tree):
    update_catalog("de")
    before = catalog_path("de").read_bytes()

    update_catalog("de")

    assert catalog_path("de").read_bytes() == before


def test_every_language_of_the_site_has_a_catalog():
    assert [language for language in languages() if not catalog_path(language).exists()] == []
