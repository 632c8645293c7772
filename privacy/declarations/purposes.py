"""The closed list of reasons for which personal data may be collected or opened (COLLECT-4, COLLECT-5)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.declarations.categories import Category


class Purpose(TextChoices):
    """A use outside this list cannot be opened, because it has no name."""

    ACCOUNT = "account", _("Run your account")
    ORDER = "order", _("Handle your order")
    PAYMENT = "payment", _("Take your payment")
    DISPATCH = "dispatch", _("Pack and deliver your parcel")
    RETURNS = "returns", _("Returns and refunds")
    SUPPORT = "support", _("Answer your questions")
    IDENTITY = "identity", _("Confirm who you are")
    FRAUD = "fraud", _("Prevent fraud")
    IMPROVEMENT = "improvement", _("Improve the shop")
    RIGHTS = "rights", _("Serve your privacy rights")
    LEGAL = "legal", _("Keep the records the law demands")
    SECURITY = "security", _("Keep accounts and systems safe")


class Ground(TextChoices):
    """What makes a purpose lawful for one person."""

    CONSENT = "consent", _("your permission")
    REQUEST = "request", _("your request")
    LAW = "law", _("a legal duty")


@dataclass(frozen=True)
class PurposeRule:
    """One row of the published table.

    ``freely_to`` names the kinds of recipient that data may go to for this purpose without
    asking the person again; ``citation`` is given exactly for the ground LAW.
    """

    ground: Ground
    categories: frozenset[Category]
    explanation: Promise
    essential: bool = False
    freely_to: frozenset[str] = frozenset()
    citation: str = ""


def _rule(ground: Ground, *categories: Category, explanation: Promise, **more: object) -> PurposeRule:
    return PurposeRule(ground, frozenset(categories), explanation, **more)  # type: ignore[arg-type]


ACCOUNT, PURCHASE, DELIVERY, FINANCIAL, INTERACTION = Category

PURPOSES: dict[Purpose, PurposeRule] = {
    Purpose.ACCOUNT: _rule(
        Ground.CONSENT,
        ACCOUNT,
        explanation=_("To let you sign in and to send you notices about your account."),
        essential=True,
    ),
    Purpose.ORDER: _rule(
        Ground.CONSENT,
        ACCOUNT,
        PURCHASE,
        explanation=_("To check your order, handle it and tell you how it is going."),
        essential=True,
    ),
    Purpose.PAYMENT: _rule(
        Ground.CONSENT,
        FINANCIAL,
        PURCHASE,
        explanation=_("To take your payment through our payment provider and confirm it."),
        essential=True,
        freely_to=frozenset({"payment"}),
    ),
    Purpose.DISPATCH: _rule(
        Ground.CONSENT,
        DELIVERY,
        PURCHASE,
        explanation=_("To pack your parcel and let a carrier bring it to your door."),
        essential=True,
        freely_to=frozenset({"seller", "carrier"}),
    ),
    Purpose.RETURNS: _rule(
        Ground.CONSENT,
        PURCHASE,
        DELIVERY,
        FINANCIAL,
        explanation=_("To take back what you return and to give you your money back."),
        essential=True,
        freely_to=frozenset({"payment", "seller", "carrier"}),
    ),
    Purpose.SUPPORT: _rule(
        Ground.REQUEST,
        INTERACTION,
        ACCOUNT,
        PURCHASE,
        DELIVERY,
        explanation=_("To answer a question or complaint that you sent us."),
    ),
    Purpose.IDENTITY: _rule(
        Ground.REQUEST,
        ACCOUNT,
        INTERACTION,
        explanation=_("To make sure that a request about your data really comes from you."),
    ),
    Purpose.FRAUD: _rule(
        Ground.CONSENT,
        ACCOUNT,
        PURCHASE,
        FINANCIAL,
        DELIVERY,
        explanation=_("To make sure that nobody orders in your name or with stolen cards."),
        essential=True,
    ),
    Purpose.IMPROVEMENT: _rule(
        Ground.CONSENT,
        INTERACTION,
        explanation=_("To learn, in groups and never about you alone, which pages work well."),
    ),
    Purpose.RIGHTS: _rule(
        Ground.REQUEST,
        ACCOUNT,
        PURCHASE,
        DELIVERY,
        FINANCIAL,
        INTERACTION,
        explanation=_("To show you your data, copy, correct or delete it when you ask."),
        freely_to=frozenset({"holder"}),
    ),
    Purpose.LEGAL: _rule(
        Ground.LAW,
        PURCHASE,
        FINANCIAL,
        explanation=_("To keep invoices and payments for as long as tax law says."),
        freely_to=frozenset({"authority"}),
        citation="GDPR Art. 6(1)(c) with AO § 147, HGB § 257, UStG § 14b",
    ),
    Purpose.SECURITY: _rule(
        Ground.LAW,
        ACCOUNT,
        INTERACTION,
        explanation=_("To protect accounts and systems and to look into misuse."),
        freely_to=frozenset({"authority"}),
        citation="GDPR Art. 32",
    ),
}
