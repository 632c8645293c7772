"""Live evidence that the ledger of permissions can give (COLLECT-3, RIGHTS-4)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from privacy.consent.models import ConsentEntry, ConsentStatement
from privacy.policy.promises import Evidence, counted, register_evidence

LOOKED_BACK = 1000


def register() -> None:
    register_evidence("COLLECT-3", decisions_with_their_words)
    register_evidence("RIGHTS-4", last_withdrawal)


def decisions_with_their_words() -> Evidence:
    numbers = {"entries": counted(ConsentEntry.objects.all()), "statements": counted(ConsentStatement.objects.all())}
    text = _("%(entries)s decisions are on record, each with one of %(statements)s exact wordings.") % numbers
    return Evidence(None if numbers["entries"] == "0" else True, text)


def last_withdrawal() -> Evidence:
    newest = list(ConsentEntry.objects.order_by("-id").values_list("at", "decision")[:LOOKED_BACK])
    withdrawn = [at for at, decision in newest if decision == ConsentEntry.Decision.WITHDRAWN]
    if not withdrawn:
        return Evidence(None, _("Nobody has withdrawn a permission lately."))
    text = _("%(number)d of the last %(all)d decisions were withdrawals; each counts from the next opening on.")
    return Evidence(True, text % {"number": len(withdrawn), "all": len(newest)}, withdrawn[0])
