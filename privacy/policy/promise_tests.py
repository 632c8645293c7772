"""Which tests keep which promise, read from their marks without running anything (all ids)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Mark:
    """One ``pytest.mark.promise("ID")``: the id and the test as ``file::function``."""

    promise_id: str
    test: str


def promise_marks(root: Path) -> list[Mark]:
    """The marks of all tests below ``root``/tests, in the order of files and lines."""
    return [mark for path in sorted((root / "tests").rglob("*.py")) for mark in _marks_in(path, root)]


def _marks_in(path: Path, root: Path) -> Iterator[Mark]:
    tree = ast.parse(path.read_text("utf-8"), str(path))
    name = path.relative_to(root).as_posix()
    for test, ids in _marked_tests(tree.body, _ids_of_module(tree)):
        yield from (Mark(promise_id, f"{name}::{test}") for promise_id in ids)


def _marked_tests(body: list[ast.stmt], inherited: list[str], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each test with its own marks, those of its class and those of its module."""
    for node in body:
        if isinstance(node, Function) and node.name.startswith("test_"):
            yield prefix + node.name, _distinct([*inherited, *_ids_in(node.decorator_list)])
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            ids = [*inherited, *_ids_in(node.decorator_list)]
            yield from _marked_tests(node.body, ids, f"{prefix}{node.name}::")


def _ids_of_module(tree: ast.Module) -> list[str]:
    """What ``pytestmark = ...`` says for the whole file."""
    assignments = [node for node in tree.body if isinstance(node, ast.Assign)]
    marks = [node.value for node in assignments if "pytestmark" in map(_dotted, node.targets)]
    return _ids_in(marks)


def _ids_in(expressions: list[ast.expr]) -> list[str]:
    calls = [node for expression in expressions for node in ast.walk(expression) if isinstance(node, ast.Call)]
    arguments = [argument for call in calls if _dotted(call.func).endswith("mark.promise") for argument in call.args]
    return [argument.value if isinstance(argument, ast.Constant) else ast.unparse(argument) for argument in arguments]  # type: ignore[misc]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _distinct(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(ids))
