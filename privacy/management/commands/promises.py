"""Each promise with what enforces it, what tests it and what shows it now (all ids)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from privacy.policy.promise_tests import promise_marks
from privacy.policy.promises import PROMISES, Evidence, Promise, evidence_of

SIGNS = {True: "holds", False: "FAILS", None: "nothing to judge yet"}


class Command(BaseCommand):
    help = "List each promise with its control, its tests and its live evidence."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")
        parser.add_argument("--missing", action="store_true", help="print only the promises that no test is marked with")
        parser.add_argument("--offline", action="store_true", help="leave the database alone: no live evidence")
        parser.add_argument("--check", action="store_true", help="fail when a test is marked with an unknown id")

    def handle(self, *args: Any, **options: Any) -> None:
        tests = _tests_by_promise()
        if options["check"]:
            _refuse_unknown(tests)
        if options["missing"]:
            self._print_missing(tests)
        elif not options["check"]:
            self._print_rows(tests, options)

    def _print_rows(self, tests: Mapping[str, list[str]], options: dict[str, Any]) -> None:
        rows = [_row(promise, tests, options["offline"]) for promise in PROMISES.values()]
        if options["as_json"]:
            self.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False))
        else:
            for row in rows:
                self._print_row(row)

    def _print_missing(self, tests: Mapping[str, list[str]]) -> None:
        missing = [promise for promise in PROMISES.values() if not tests.get(promise.id)]
        self.stdout.write(f"{len(missing)} of {len(PROMISES)} promises have no test yet.")
        for promise in missing:
            self.stdout.write(f"  {promise.id:<10} {promise.title}")

    def _print_row(self, row: dict[str, Any]) -> None:
        self.stdout.write(f"{row['id']}  {row['title']}")
        self.stdout.write(f"  control   {row['control'] or 'none yet'}")
        for test in row["tests"] or ["none yet"]:
            self.stdout.write(f"  test      {test}")
        for evidence in row["evidence"]:
            self.stdout.write(f"  evidence  {SIGNS[evidence['ok']]}: {evidence['text']}")
        self.stdout.write("")


def _tests_by_promise() -> dict[str, list[str]]:
    tests: dict[str, list[str]] = defaultdict(list)
    try:
        marks = promise_marks(settings.BASE_DIR)
    except SyntaxError as error:
        raise CommandError(f"{error.filename} cannot be read: line {error.lineno}.") from None
    for mark in marks:
        tests[mark.promise_id].append(mark.test)
    return tests


def _refuse_unknown(tests: Mapping[str, list[str]]) -> None:
    unknown = [f"{test} is marked with {promise_id}" for promise_id in tests if promise_id not in PROMISES for test in tests[promise_id]]
    if unknown:
        raise CommandError("No such promise:\n  " + "\n  ".join(unknown))


def _row(promise: Promise, tests: Mapping[str, list[str]], offline: bool) -> dict[str, Any]:
    return {
        "id": promise.id,
        "group": promise.group.value,
        "title": str(promise.title),
        "control": promise.control,
        "tests": tests.get(promise.id, []),
        "evidence": [] if offline else [_as_json(evidence) for evidence in evidence_of(promise.id)],
    }


def _as_json(evidence: Evidence) -> dict[str, Any]:
    return {"ok": evidence.ok, "text": evidence.text, "at": evidence.at and evidence.at.isoformat()}
