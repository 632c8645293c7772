"""The promises, the code that keeps them and the tests that prove it name one another rightly."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from privacy.policy.promise_tests import Mark, promise_marks
from privacy.policy.promises import PROMISES

GROUPS = {"COLLECT": 6, "PROTECT": 6, "USE": 6, "RIGHTS": 10, "CHANGE": 5}
CODE = re.compile(r"\b(?:audit|privacy|orders|marketplace)(?:\.\w+)+")
MARKED = """
import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.promise("USE-1")]


@pytest.mark.promise("USE-2", "USE-3")
def test_one():
    pass


class TestMore:
    @pytest.mark.parametrize("n", [1])
    @pytest.mark.promise("USE-1")
    async def test_two(self, n):
        pass


@pytest.mark.promise("USE-6")
def helper():
    pass
"""


def resolves(dotted: str) -> bool:
    """Whether the path names a module, or something in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            if not hasattr(found, name):
                return False
            found = getattr(found, name)
        return True
    return False


def test_there_are_thirty_three_promises_in_five_groups():
    counts = dict.fromkeys(GROUPS, 0)
    for promise in PROMISES.values():
        counts[promise.group.value] += 1

    assert counts == GROUPS
    assert all(promise.id == key for key, promise in PROMISES.items())


@pytest.mark.parametrize("promise_id", [promise.id for promise in PROMISES.values() if promise.control])
def test_a_control_names_code_that_exists(promise_id):
    named = CODE.findall(PROMISES[promise_id].control)

    assert named
    assert [dotted for dotted in named if not resolves(dotted)] == []


def test_every_mark_names_a_promise():
    assert [mark for mark in promise_marks(settings.BASE_DIR) if mark.promise_id not in PROMISES] == []


@pytest.mark.parametrize("room", ["audit", "privacy"])
def test_each_module_of_the_promise_keepers_says_what_it_keeps_with_an_id_that_exists(room):
    mentioned = {
        found
        for path in (settings.BASE_DIR / room).rglob("*.py")
        for found in re.findall(r"\b(?:COLLECT|PROTECT|USE|RIGHTS|CHANGE)-\d+", path.read_text("utf-8"))
    }

    assert mentioned - set(PROMISES) == set()


def test_promise_marks_reads_module_class_and_function(tmp_path: Path):
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    (tmp_path / "tests" / "deep" / "test_it.py").write_text(MARKED)

    marks = promise_marks(tmp_path)

    assert marks == [
        Mark("USE-1", "tests/deep/test_it.py::test_one"),
        Mark("USE-2", "tests/deep/test_it.py::test_one"),
        Mark("USE-3", "tests/deep/test_it.py::test_one"),
        Mark("USE-1", "tests/deep/test_it.py::TestMore::test_two"),
    ]


def test_promises_command_refuses_a_mark_that_names_nothing(settings, tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(MARKED.replace("USE-6", "USE-7").replace("USE-3", "USE-9"))
    settings.BASE_DIR = tmp_path

    with pytest.raises(CommandError, match=r"tests/test_it\.py::test_one is marked with USE-9"):
        call_command("promises", "--check")


def test_promises_command_names_a_file_that_it_cannot_read(settings, tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text("def broken(:\n")
    settings.BASE_DIR = tmp_path

    with pytest.raises(CommandError, match=r"test_it\.py cannot be read: line 1"):
        call_command("promises", "--check")
