"""Live evidence that the requests give (RIGHTS-1, RIGHTS-2, RIGHTS-3, RIGHTS-6, RIGHTS-7, RIGHTS-8)."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from privacy.policy.promises import Evidence, counted, register_evidence
from privacy.retention.walker import kept_models, record_models
from privacy.rights.models import ExportJob, Receipt, Request
from privacy.rights.queries import open_requests, overdue_requests
from privacy.rights.sections import sections
from privacy.vault.fields import sealed_fields
from privacy.vault.models import DestroyedKey, Subject

Kind, State = Request.Kind, Request.State


def register() -> None:
    register_evidence("RIGHTS-1", copies_made)
    register_evidence("RIGHTS-2", corrections_made)
    register_evidence("RIGHTS-3", erasures_done)
    register_evidence("RIGHTS-6", what_people_see)
    register_evidence("RIGHTS-7", requests_in_time)
    register_evidence("RIGHTS-8", records_under_a_floor)


def copies_made() -> Evidence:
    made = Request.objects.filter(kind=Kind.EXPORT, state=State.COMPLETED).order_by("-completed_at")
    late = ExportJob.objects.exclude(file="").filter(expires_at__lte=timezone.now()).count()
    numbers = {"made": counted(made), "failed": Request.objects.filter(kind=Kind.EXPORT, state=State.FAILED).count(), "late": late}
    text = _("%(made)s copies were made, %(failed)d failed; %(late)d files wait to be deleted after their seven days.")
    newest = made.first()
    return Evidence(True if newest else None, text % numbers, newest.completed_at if newest else None)


def corrections_made() -> Evidence:
    made = Request.objects.filter(kind=Kind.CORRECTION, state=State.COMPLETED).order_by("-completed_at")
    newest = made.first()
    text = _("People corrected their own data %(number)s times; each correction held at once.") % {"number": counted(made)}
    return Evidence(True if newest else None, text, newest.completed_at if newest else None)


def erasures_done() -> Evidence:
    """Every erased person has destroyed keys: compared across the two databases for the newest ones."""
    newest = list(Receipt.objects.select_related("request").order_by("-issued_at")[:100])
    if not newest:
        return Evidence(None, _("Nobody has been erased yet."))
    people = {receipt.request.subject_id for receipt in newest}
    destroyed = set(DestroyedKey.objects.filter(subject_id__in=people).values_list("subject_id", flat=True))
    marked = set(Subject.objects.filter(pk__in=people, erased_at__isnull=False).values_list("pk", flat=True))
    text = _("Of the last %(all)d people erased, the keys of %(destroyed)d are in the ledger of destroyed keys.")
    numbers = {"all": len(people), "destroyed": len(destroyed)}
    return Evidence(people == destroyed == marked, text % numbers, newest[0].issued_at)


def what_people_see() -> Evidence:
    models = record_models()
    numbers = {"kinds": len(models), "fields": sum(len(sealed_fields(model)) for model in models), "lists": len(sections())}
    text = _("People see all %(fields)d personal fields of %(kinds)d kinds of records, and %(lists)d lists about their use.")
    return Evidence(True, text % numbers)


def requests_in_time() -> Evidence:
    late = overdue_requests().count()
    text = _("%(open)s requests are open, %(late)d of them overdue.")
    return Evidence(not late, text % {"open": counted(open_requests()), "late": late})


def records_under_a_floor() -> Evidence:
    waiting = Receipt.objects.filter(records_ended_at=None)
    numbers = {"kinds": len(kept_models()), "people": counted(waiting)}
    text = _("%(kinds)d kinds of records are kept by law, each with its article; %(people)s erasures wait for such a time to end.")
    cited = all(model.lifetime.floor and model.lifetime.floor.citation for model in kept_models())
    return Evidence(cited, text % numbers)
