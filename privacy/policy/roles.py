"""Who acts: the roles of the house and the actor that every action is told of (PROTECT-3, USE-3)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    CUSTOMER = "customer", _("Customer")
    SELLER = "seller", _("Seller")
    SUPPORT = "support", _("Support")
    FULFILLMENT = "fulfillment", _("Fulfillment")
    FINANCE = "finance", _("Finance")
    FRAUD = "fraud", _("Fraud prevention")
    PRIVACY_OFFICER = "privacy_officer", _("Privacy officer")
    SECURITY = "security", _("Security")
    AUDITOR = "auditor", _("Auditor")
    ADMINISTRATOR = "administrator", _("Administrator")
    JOB = "job", _("Automatic job")


STAFF_ROLES = frozenset(Role) - {Role.CUSTOMER, Role.SELLER, Role.JOB}


@dataclass(frozen=True)
class Actor:
    """Who does something: a person by the id of their subject, or a job by its name."""

    role: Role
    id: UUID | None = None
    name: str = ""

    @classmethod
    def job(cls, name: str) -> Actor:
        return cls(Role.JOB, name=name)

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES

    def is_subject(self, subject_id: UUID | None) -> bool:
        """True when the actor is this very person."""
        return self.id is not None and self.id == subject_id


ANONYMOUS = Actor(Role.CUSTOMER)
