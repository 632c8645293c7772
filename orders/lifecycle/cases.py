"""Orders in the words of the pages on which people see who used and who received their data."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.apps import apps
from django.urls import reverse
from django.utils.translation import gettext as _

from orders.lifecycle.models import Order
from privacy.rights.cases import Case, register_case_words
from privacy.staff_exports.people import register_exportable

# Everything that is the reason of a use, and the way from there to its order.
PATHS = {
    "orders.order": "",
    "orders.invoice": "order__",
    "orders.creditnote": "invoice__order__",
    "orders.contractwithdrawal": "order__",
    "orders.orderlookup": "order__",
    "orders.payment": "order__",
    "orders.paymentoperation": "payment__order__",
    "orders.parcel": "order__",
    "orders.parceloperation": "parcel__order__",
}


def register_order_cases() -> None:
    register_exportable(Order)
    for label, path in PATHS.items():
        register_case_words(label, _words_of(label, path))


def _words_of(label: str, path: str) -> Callable[[UUID, set[UUID]], dict[UUID, Case]]:
    def describe(subject_id: UUID, ids: set[UUID]) -> dict[UUID, Case]:
        own = apps.get_model(label)._base_manager.filter(pk__in=ids, **{f"{path}subject_id": subject_id})
        return {id: _case(code) for id, code in own.values_list("pk", f"{path}code")}

    return describe


def _case(code: str) -> Case:
    return Case(_("order %(code)s") % {"code": code}, reverse("orders:detail", args=[code]))
