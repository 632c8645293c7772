"""No template says anything that cannot be translated (RIGHTS-10)."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = sorted(path for path in (settings.BASE_DIR / "templates").rglob("*.*") if path.suffix in {".html", ".txt"})
BLOCKS = re.compile(
    r"{%\s*comment.*?{%\s*endcomment\s*%}|{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}|{#.*?#}|{%.*?%}|{{.*?}}|&\w+;",
    re.DOTALL,
)
CODE = re.compile(r"<(?:code|style|script|svg)\b.*?</(?:code|style|script|svg)>|<!.*?>", re.DOTALL)
SAID_BY_ATTRIBUTES = re.compile(r"""\b(?:alt|aria-label|placeholder|title|content)=(?:"([^"]*)"|'([^']*)')""")
NAMES_OF_SETTINGS = re.compile(r"<meta[^>]*>")
TAG = re.compile(r"<[^>]*>")
WORD = re.compile(r"[^\W\d_]{2,}")
NOT_WORDS = {"colM", "BagIt", "RFC", "SHA", "JSON", "CSV", "UTC", "PDF", "ZIP"}
MACHINE_READ = {"style.css"}


def untranslated_words(text: str) -> list[str]:
    """Words outside translated blocks: between tags, and in the attributes that people read or hear."""
    text = NAMES_OF_SETTINGS.sub(" ", CODE.sub(" ", BLOCKS.sub(" ", text)))
    attributes = " ".join(first or second for tag in TAG.findall(text) for first, second in SAID_BY_ATTRIBUTES.findall(tag))
    return [word for word in WORD.findall(f"{TAG.sub(' ', text)} {attributes}") if word not in NOT_WORDS]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR / "templates")))
def test_everything_that_a_template_says_can_be_translated(template: Path):
    assert untranslated_words(template.read_text("utf-8")) == []


def test_what_cannot_be_translated_is_found():
    page = '{% load i18n %}<p title="Seen">Read {{ me }}</p>{% translate "fine" %}<b>{% blocktranslate %}fine{% endblocktranslate %}</b>'

    assert untranslated_words(page) == ["Read", "Seen"]
