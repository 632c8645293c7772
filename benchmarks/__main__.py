"""``python -m benchmarks``: measures, prints a table, writes ``bench.json`` into the state directory."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    django.setup()
    from benchmarks import audited_writes, erasures, first_pages, log, look_ups, many_rows, masked_page, one_value, own_uses, wall
    from benchmarks.policy import put_policy_in_force
    from benchmarks.servers import fresh_databases

    results = []
    with fresh_databases():
        put_policy_in_force()
        for part in (one_value, many_rows, masked_page, look_ups, erasures, first_pages, own_uses, wall, audited_writes, log):
            for row in part.rows():
                print(line(row.name, row.peer, row.goal, f"{row.ratio:.2f}", "holds" if row.holds else "MISSED"), flush=True)
                results.append(row)
    path = Path(os.environ["BENCHMARK_RESULTS"])
    path.write_text(json.dumps([row.as_json() for row in results], indent=1) + "\n")
    print(f"\nWritten to {path}")
    shout([row.name for row in results if not row.holds])


def line(*cells: str) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, (46, 44, 28, 6, 6), strict=True))


def shout(missed: Iterable[str]) -> None:
    for name in missed:
        print(f"!!! GOAL MISSED: {name} !!!")


if __name__ == "__main__":
    main()
