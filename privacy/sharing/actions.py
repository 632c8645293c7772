"""``disclose()`` is the only way out for personal data (USE-4, USE-5, USE-6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date
from typing import NoReturn
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from audit.events import Event
from audit.record import NewEntry, Reference, record
from privacy.access.gate import open_access
from privacy.access.units import current_unit
from privacy.declarations.categories import Category
from privacy.declarations.purposes import PURPOSES, Purpose
from privacy.policy.roles import Actor
from privacy.sharing import errors
from privacy.sharing.models import Agreement, Approval, Disclosure, FollowUp, Recipient
from privacy.sharing.queries import agreements_in_force, has_approved, holders_of
from privacy.vault.models import Subject
from privacy.vault.sealed import Sealed

# The kinds that receive what belongs to a parcel of their own, and nothing else.
BOUND_TO_A_CASE = frozenset({Recipient.Kind.CARRIER, Recipient.Kind.SELLER})

_takers: dict[str, Callable[[UUID], Set[str]]] = {}


def register_takers(label: str, takers_of: Callable[[UUID], Set[str]]) -> None:
    """``takers_of(case_id)`` gives the short names of the carrier and seller of that very case, none once it has ended."""
    _takers[label] = takers_of


@transaction.atomic
def register_recipient(
    *,
    by: Actor,
    slug: str,
    name: str,
    kind: Recipient.Kind,
    country: str,
    webhook_secret: str = "",
) -> Recipient:
    """Enter an organization; without an agreement nothing goes to it."""
    recipient = Recipient.objects.create(
        slug=slug,
        name=name,
        kind=kind,
        country=country,
        webhook_secret=webhook_secret or None,
    )
    record(Event.RECIPIENT_REGISTERED, by=by, object=recipient)
    return recipient


@transaction.atomic
def sign_agreement(
    *,
    by: Actor,
    recipient: Recipient,
    reference: str,
    purposes: list[Purpose],
    categories: list[Category],
    signed_on: date,
    starts_on: date,
    ends_on: date,
) -> Agreement:
    agreement = Agreement.objects.create(
        recipient=recipient,
        reference=reference,
        purposes=[purpose.value for purpose in purposes],
        categories=[category.value for category in categories],
        signed_on=signed_on,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    record(Event.AGREEMENT_SIGNED, by=by, object=agreement)
    return agreement


@transaction.atomic
def disclose(
    *,
    by: Actor,
    recipient: str,
    purpose: Purpose,
    subject: Subject | UUID,
    values: Mapping[str, Sealed | None],
    reason: str = "",
    case: Reference | models.Model | None = None,
) -> dict[str, str]:
    """Open ``values`` for one recipient and enter what it receives; returns them in clear, by the same names.

    The call to the recipient follows after this unit of work has committed: what was entered and not sent
    can be explained, what was sent and not entered cannot. A carrier or seller receives what belongs to ``case``, an
    open parcel of theirs. Raises DisclosureRefused (recorded, also when everything is rolled back) without recipient,
    agreement, cover, parcel or approval, and AccessDenied as the gate does.
    """
    subject_id = subject.pk if isinstance(subject, Subject) else subject
    case = Reference.to(case) if isinstance(case, models.Model) else case
    sealed = [value for value in values.values() if value is not None]
    categories = sorted({value.field.category.value for value in sealed})
    fields = sorted({value.field.path for value in sealed})
    partner, agreement = _Attempt(by, subject_id, purpose, case, categories, fields).check(recipient)
    with open_access(by=by, purpose=purpose, subject=subject_id, reason=reason, case=case) as grant:
        plain = {name: grant.open(value) for name, value in values.items()}
    disclosure = Disclosure.objects.create(
        subject_id=subject_id,
        recipient=partner,
        agreement=agreement,
        purpose=purpose,
        categories=categories,
        fields=fields,
        case_label=case.label if case else "",
        case_id=case.id if case else None,
    )
    record(
        Event.DATA_DISCLOSED,
        by=by,
        subject=subject_id,
        object=disclosure,
        purpose=purpose.value,
        categories=categories,
        fields=fields,
        case=case,
    )
    return plain


@dataclass(frozen=True)
class _Attempt:
    """One try to let something out, and its record when it is refused."""

    by: Actor
    subject_id: UUID
    purpose: Purpose
    case: Reference | None
    categories: list[str]
    fields: list[str]

    def check(self, slug: str) -> tuple[Recipient, Agreement]:
        partner = Recipient.objects.filter(slug=slug).first()
        if partner is None:
            self.refuse(errors.RecipientUnknown())
        agreements = agreements_in_force(partner)
        if not agreements:
            self.refuse(errors.AgreementMissing())
        agreement = next((signed for signed in agreements if signed.covers(self.purpose, self.categories)), None)
        if agreement is None:
            self.refuse(errors.NotCovered())
        if self.is_of_another_case(partner):
            self.refuse(errors.NotTheirCase())
        if not self.is_free(partner) and not has_approved(self.subject_id, partner, self.purpose):
            self.refuse(errors.ApprovalMissing())
        return partner, agreement

    def is_of_another_case(self, partner: Recipient) -> bool:
        """The published table lets data go to *the parcel's* carrier and seller, not to every one that has signed."""
        if partner.kind not in BOUND_TO_A_CASE & PURPOSES[self.purpose].freely_to:
            return False
        if self.case is None or self.case.label not in _takers:
            return True
        return partner.slug not in _takers[self.case.label](self.case.id)

    def is_free(self, partner: Recipient) -> bool:
        """ "holder" stands for whoever received something of this person before, whatever its kind."""
        freely_to = PURPOSES[self.purpose].freely_to
        return partner.kind in freely_to or ("holder" in freely_to and partner in holders_of(self.subject_id))

    def refuse(self, refusal: errors.DisclosureRefused) -> NoReturn:
        current_unit().refusals.append(
            NewEntry(
                event=Event.DISCLOSURE_REFUSED,
                by=self.by,
                subject=self.subject_id,
                purpose=self.purpose.value,
                categories=self.categories,
                fields=self.fields,
                case=self.case,
                outcome=refusal.code,
            )
        )
        raise refusal


@transaction.atomic
def decide_approval(
    *,
    by: Actor,
    subject: Subject,
    recipient: Recipient,
    purpose: Purpose,
    is_given: bool,
) -> Approval:
    """The person's own yes or no to one recipient and purpose."""
    if not by.is_subject(subject.pk):
        raise errors.ApprovalMissing
    approval = Approval.objects.create(subject=subject, recipient=recipient, purpose=purpose, is_given=is_given)
    event = Event.PERMISSION_GIVEN if is_given else Event.PERMISSION_WITHDRAWN
    record(event, by=by, subject=subject, object=approval, purpose=purpose.value)
    return approval


@transaction.atomic
def tell_holders(*, by: Actor, subject_id: UUID, kind: FollowUp.Kind, categories: Iterable[str] | None = None) -> list[FollowUp]:
    """Open a follow-up with everybody who received data of this person (of these categories); those already open
    stay one."""
    FollowUp.objects.bulk_create(
        [FollowUp(subject_id=subject_id, recipient=recipient, kind=kind) for recipient in holders_of(subject_id, categories)],
        ignore_conflicts=True,
    )
    follow_ups = list(FollowUp.objects.filter(subject_id=subject_id, kind=kind, confirmed_at__isnull=True))
    for follow_up in follow_ups:
        record(Event.FOLLOW_UP_ASKED, by=by, subject=subject_id, object=follow_up)
    return follow_ups


@transaction.atomic
def confirm_follow_up(*, by: Actor, follow_up: FollowUp) -> None:
    """The recipient has told us that it did it. Idempotent."""
    locked = FollowUp.objects.select_for_update().get(pk=follow_up.pk)
    if locked.confirmed_at is not None:
        return
    locked.confirmed_at, locked.confirmed_by = timezone.now(), by.id
    locked.save(update_fields=["confirmed_at", "confirmed_by"])
    record(Event.FOLLOW_UP_CONFIRMED, by=by, subject=locked.subject_id, object=locked)
