"""What an invoice adds up."""

from __future__ import annotations

from typing import Any

from orders.lifecycle.models import Order


def sums_by_rate(order: Order) -> list[dict[str, Any]]:
    """Gross, tax and net per tax rate, as an invoice must show them (UStG § 14(4) no. 7 and 8)."""
    sums: dict[int, list[int]] = {}
    for line in order.lines.all():
        row = sums.setdefault(line.tax_rate, [0, 0])
        row[0] += line.total + line.shipping_share
        row[1] += line.tax
    return [
        {"percent": f"{rate / 100:g}", "gross": gross, "tax": tax, "net": gross - tax}
        for rate, (gross, tax) in sorted(sums.items(), reverse=True)
    ]
