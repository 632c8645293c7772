"""Why nothing leaves; each is recorded (USE-4, USE-5)."""

from privacy.access.errors import AccessDenied


class DisclosureRefused(AccessDenied):
    """Base of all."""

    code = "disclosure_refused"


class RecipientUnknown(DisclosureRefused):
    """Nobody of this name is registered."""

    code = "recipient_unknown"


class AgreementMissing(DisclosureRefused):
    """No agreement with the recipient is in force today."""

    code = "agreement_missing"


class NotCovered(DisclosureRefused):
    """The agreement does not cover this purpose or one of these categories."""

    code = "not_covered"


class NotTheirCase(DisclosureRefused):
    """A carrier or seller, and no open parcel of theirs was named."""

    code = "not_their_case"


class ApprovalMissing(DisclosureRefused):
    """The purpose is not fulfillment, shipping or payment, and the person has not approved."""

    code = "approval_missing"
