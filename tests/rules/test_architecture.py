"""What the tree promises about itself: one door in, one way out, files where their names say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("audit", "privacy", "orders", "marketplace")
OUTSIDE = {"requests", "httpx", "aiohttp", "http.client", "urllib.request", "urllib3", "smtplib", "ftplib", "paramiko", "boto3"}

# Modules that talk to somebody outside. The first two call a partner with what `disclose()` returned, the third
# is the mail server, the fourth wraps random keys, the last two are the site asking itself and the demo's stand-in
# for the outside.
TALKERS = {
    "audit.publishing",
    "orders.payments.sandbox",
    "orders.parcels.sandbox",
    "privacy.mail.actions",
    "privacy.vault.kms",
    "marketplace.supervisor",
    "marketplace.demo.sandbox",
}
INSIDES_OF_A_VALUE = {"_draft", "_token", "_row"}
INSIDES_OF_A_KEY = {"cipher", "secret"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the product by its dotted name; migrations left out."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(path.read_text())


def imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names that a module imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(*names: str) -> set[str]:
    return {module for module, tree in sources() if any(name in names for name in imports(tree))}


@pytest.mark.promise("COLLECT-4")
@pytest.mark.promise("USE-1")
def test_the_gate_alone_unseals():
    assert importers("privacy.vault.sealed.unseal") == {"privacy.access.gate"}
    assert not [
        module for module, tree in sources() for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "unseal"
    ]


@pytest.mark.promise("PROTECT-1")
@pytest.mark.parametrize(("attributes", "room"), [(INSIDES_OF_A_VALUE, "privacy.vault"), (INSIDES_OF_A_KEY, "privacy.vault")])
def test_nobody_outside_the_vault_reaches_into_values_and_keys(attributes, room):
    reached = {
        f"{module}: .{node.attr}"
        for module, tree in sources()
        if not module.startswith(room)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in attributes and (attributes is INSIDES_OF_A_VALUE or _is_key(node))
    }

    assert reached == set()


def _is_key(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in {"key", "data_key"}


@pytest.mark.promise("USE-4")
def test_only_known_modules_talk_to_the_outside():
    assert importers(*OUTSIDE) <= TALKERS


CALLERS_OF_PARTNERS = {"orders.payments.sandbox", "orders.parcels.sandbox", "orders.payments.operations", "orders.parcels.operations"}


@pytest.mark.promise("USE-4")
def test_what_goes_to_a_partner_comes_from_disclose():
    """The modules around a partner's call open nothing themselves."""
    opened = {
        f"{module}:{node.lineno}"
        for module, tree in sources()
        if module in CALLERS_OF_PARTNERS
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"open", "load"}
    }

    assert opened == set()
    assert importers("privacy.sharing.actions.disclose") >= {"orders.payments.operations", "orders.parcels.operations"}


@pytest.mark.promise("PROTECT-4")
def test_nothing_is_printed_outside_commands():
    assert {
        module
        for module, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    } <= {"audit.verifier.verify_log", "marketplace.supervisor", "marketplace.demo.sandbox", "marketplace.preparation"}


@pytest.mark.promise("PROTECT-4")
def test_no_log_line_holds_what_a_grant_opened():
    """`logger.info("...", grant.open(value))` and its kin."""
    leaks = [
        f"{module}:{node.lineno}"
        for module, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _is_logging(node.func)
        if any(isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "open" for part in ast.walk(node))
    ]

    assert leaks == []


def _is_logging(function: ast.expr) -> bool:
    levels = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    return isinstance(function, ast.Attribute) and function.attr in levels and "log" in ast.unparse(function.value).lower()


def test_each_module_of_the_rooms_opens_with_the_promise_it_keeps():
    without = []
    for app in ("privacy", "audit"):
        for path in sorted((ROOT / app).rglob("*.py")):
            text = path.read_text().strip()
            if text and "migrations" not in path.parts and not (ast.get_docstring(ast.parse(text)) or ""):
                without.append(str(path.relative_to(ROOT)))

    assert without == []


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "core", "services", "misc", "tools"])
def test_no_module_is_named_after_nothing(name):
    assert [path for app in APPS for path in (ROOT / app).rglob(f"{name}*") if path.suffix == ".py" or path.is_dir()] == []


@pytest.mark.promise("USE-3")
def test_nobody_writes_to_the_log_but_through_record():
    writers = {
        f"{module}:{node.lineno}"
        for module, tree in sources()
        if "audit.models.Entry" in set(imports(tree))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.fullmatch(r"Entry(\.objects\.(bulk_)?(create|update)|\._base_manager\..*)?", ast.unparse(node.func))
    }

    assert writers == set()


@pytest.mark.promise("USE-3")
def test_no_signal_decides_anything():
    """Signals hide who acts; the only ones are Django's own about migrations and the connection."""
    used = {name for _, tree in sources() for name in imports(tree) if name.startswith("django.db.models.signals.")}

    assert used <= {"django.db.models.signals.pre_migrate", "django.db.models.signals.post_migrate"}
