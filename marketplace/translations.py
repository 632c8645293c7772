"""The catalogs of translations: collected from the code, checked for completeness, compiled for Django.

Written with Babel, so that none of gettext's programs has to be on the machine. The files are
``locale/<language>/LC_MESSAGES/django.po``; what is compiled from them is not kept under version control.
"""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

APPS = ("audit", "marketplace", "orders", "privacy")
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
LITERAL = r"u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"
TEMPLATE_CALL = re.compile(rf"\b(_|n?p?gettext)\(({LITERAL}(?:,\s*{LITERAL})*)(?:,\s*count)?\)")
PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]")
HEADER = "# What the site says, in another language. Collected by manage.py translations."
HEADERS = "Project-Id|Report-Msgid|POT-Creation|PO-Revision|Last-Translator|Language-Team|Generated-By"
UNUSED_HEADERS = re.compile(rf'^"(?:{HEADERS}).*\n', re.MULTILINE)  # they change with every run and tell nobody anything


def languages() -> list[str]:
    """Every language but the one that the code is written in."""
    return [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def catalog_path(language: str) -> Path:
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"


# Collecting


def source_messages(root: Path | None = None) -> Catalog:
    """Every message in the code and the templates, with the files that say it."""
    root = root or settings.BASE_DIR
    catalog = Catalog(charset="utf-8", fuzzy=False)
    for path, (name, message) in _found(root):
        _add(catalog, name, message, path.relative_to(root).as_posix())
    return catalog


def _found(root: Path) -> Iterator[tuple[Path, tuple[str, tuple[str, ...]]]]:
    for app in APPS:
        for path in sorted((root / app).rglob("*.py")):
            yield from ((path, found) for found in _in_python(path))
    for path in sorted((root / "templates").rglob("*.*")):
        yield from ((path, found) for found in _in_template(path))


def _in_python(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    with path.open("rb") as source:
        for _line, name, messages, _comments in extract_python(source, KEYWORDS, [], {}):
            given: tuple[object, ...] = messages if isinstance(messages, tuple) else (messages,)
            yield str(name), tuple(text for text in given if isinstance(text, str))


def _in_template(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    for call in TEMPLATE_CALL.finditer(templatize(path.read_text("utf-8"))):
        yield call[1], ast.literal_eval(f"({call[2]},)")


def _add(catalog: Catalog, name: str, texts: tuple[str, ...], place: str) -> None:
    """``texts`` are the arguments that are literal: a message whose words are computed cannot be collected."""
    spec = KEYWORDS[name]
    context = texts[0] if spec and spec[0] == (1, "c") else None
    words = texts[1:] if context is not None else texts
    if words:
        is_plural = "n" in name.partition("gettext")[0]
        catalog.add(words[:2] if is_plural else words[0], locations=[(place, 0)], context=context)


# Keeping


def update_catalog(language: str) -> None:
    """Add what is new and drop what nobody says any more; translations stay, and nothing is guessed."""
    catalog = _read(language)
    catalog.update(source_messages(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    out = BytesIO()
    write_po(out, catalog, include_lineno=False, sort_by_file=True, width=120)
    path = catalog_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(UNUSED_HEADERS.sub("", out.getvalue().decode()), "utf-8")


def _read(language: str) -> Catalog:
    path = catalog_path(language)
    if not path.exists():
        return Catalog(language, header_comment=HEADER, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


# Checking


def problems(language: str) -> list[str]:
    """What keeps a language from being complete, one line each: missing, left over, or not fitting its source."""
    translated, source = _read(language), source_messages()
    wanted = {_key(message): message for message in source if message.id}
    there = {_key(message): message for message in translated if message.id}
    lines = [f"missing: {_shown(message)}" for key, message in wanted.items() if not _is_translated(there.get(key), translated.num_plurals)]
    lines += [f"nobody says this any more: {_shown(message)}" for key, message in there.items() if key not in wanted]
    return lines + [f"{fault}: {_shown(message)}" for message in there.values() for fault in _faults(message)]


def _key(message: Message) -> tuple[str | None, str]:
    return message.context, _source(message)[0]


def _source(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, list | tuple) else (message.id,)


def _target(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, list | tuple) else (message.string or "",)


def _shown(message: Message) -> str:
    return repr(_source(message)[0][:100])


def _is_translated(message: Message | None, plurals: int) -> bool:
    if message is None or message.fuzzy:
        return False
    forms = _target(message)
    return all(forms) and len(forms) == (plurals if message.pluralizable else 1)


def _faults(message: Message) -> Iterator[str]:
    """Placeholders: none invented, and none lost where there is only one form (Arabic says "one" without its digit)."""
    known = {name for text in _source(message) for name in PLACEHOLDER.findall(text)}
    for text in filter(None, _target(message)):
        used = set(PLACEHOLDER.findall(text))
        if used - known:
            yield "unknown placeholder"
        if known - used and not message.pluralizable:
            yield "lost placeholder"
        if text.startswith("\n") != _source(message)[0].startswith("\n") or text.endswith("\n") != _source(message)[0].endswith("\n"):
            yield "line ends differ"


# Compiling


def compile_catalogs() -> list[str]:
    """Write each catalog's ``.mo`` where it is missing or older than its source; returns the languages written."""
    return [language for language in languages() if _compile(catalog_path(language), language)]


def _compile(path: Path, language: str) -> bool:
    compiled = path.with_suffix(".mo")
    if not path.exists() or (compiled.exists() and compiled.stat().st_mtime_ns >= path.stat().st_mtime_ns):
        return False
    # Written beside and moved: several processes may start at once, and none may read half a file.
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        write_mo(part, _read(language))
    written = Path(part.name)
    written.chmod(0o644)
    written.replace(compiled)
    return True
