"""Live evidence that the register of recipients can give (COLLECT-5, USE-4, USE-5, USE-6)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from privacy.declarations.purposes import Purpose
from privacy.policy.promises import COUNTED_AT_MOST, Evidence, counted, register_evidence
from privacy.sharing.models import Agreement, Disclosure, Recipient
from privacy.sharing.queries import open_follow_ups

CONFIRMED_WITHIN = timedelta(days=30)


def register() -> None:
    register_evidence("COLLECT-5", purposes_of_agreements)
    register_evidence("USE-4", disclosures_under_agreements)
    register_evidence("USE-5", agreements_in_force)
    register_evidence("USE-6", unanswered_follow_ups)


def purposes_of_agreements() -> Evidence:
    agreements = list(Agreement.objects.values_list("purposes", flat=True))
    strange = sum(not set(purposes) <= set(Purpose.values) for purposes in agreements)
    numbers = {"all": len(agreements), "strange": strange}
    text = _("%(strange)d of %(all)d agreements name a use outside the published table.") % numbers
    return Evidence(not strange, text)


def disclosures_under_agreements() -> Evidence:
    newest = list(Disclosure.objects.order_by("-id").values_list("at", "agreement_id")[:COUNTED_AT_MOST])
    if not newest:
        return Evidence(None, _("Nothing has been passed on yet."))
    without = sum(agreement is None for _at, agreement in newest)
    text = _("%(without)d of the last %(all)d disclosures had no agreement.")
    return Evidence(not without, text % {"all": len(newest), "without": without}, newest[0][0])


def agreements_in_force() -> Evidence:
    today = timezone.now().date()
    covered = Agreement.objects.filter(starts_on__lte=today, ends_on__gte=today).values("recipient_id").distinct().count()
    everybody = Recipient.objects.count()
    if not everybody:
        return Evidence(None, _("No recipient is registered."))
    text = _("%(covered)d of %(all)d registered recipients have an agreement in force; nothing goes to the others.")
    return Evidence(True, text % {"covered": covered, "all": everybody})


def unanswered_follow_ups() -> Evidence:
    oldest = open_follow_ups().first()
    if oldest is None:
        return Evidence(True, _("No recipient owes us an answer."))
    text = _("%(number)s follow-ups wait for a recipient's answer.") % {"number": counted(open_follow_ups())}
    return Evidence(oldest.asked_at > timezone.now() - CONFIRMED_WITHIN, text, oldest.asked_at)
