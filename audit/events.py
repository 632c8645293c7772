"""Keeps USE-3: everything that can be done with personal data has one name, and this is the only list of names."""

from enum import StrEnum


class Event(StrEnum):
    """What happened, as feature.object.past_verb. A name that was released is never changed or reused."""

    ACCOUNT_CREATED = "accounts.account.created"
    ACCOUNT_LOCKED_OUT = "accounts.account.locked_out"
    ACCOUNT_SEARCHED = "accounts.account.searched"
    ACCOUNT_CLOSED = "accounts.account.closed"
    MAILBOX_CONFIRMED = "accounts.mailbox.confirmed"
    MAILBOX_CHANGE_REQUESTED = "accounts.mailbox.change_requested"
    SESSION_STARTED = "accounts.session.started"
    SESSION_ENDED = "accounts.session.ended"
    SESSION_REFUSED = "accounts.session.refused"
    PASSWORD_CHANGED = "accounts.password.changed"  # noqa: S105
    PASSWORD_RESET_REQUESTED = "accounts.password.reset_requested"  # noqa: S105
    SECOND_FACTOR_ENROLLED = "accounts.second_factor.enrolled"
    SECOND_FACTOR_PASSED = "accounts.second_factor.passed"
    SECOND_FACTOR_REFUSED = "accounts.second_factor.refused"
    STAFF_APPOINTED = "accounts.staff.appointed"
    DETAILS_CORRECTED = "accounts.details.corrected"

    PERMISSION_GIVEN = "consent.permission.given"
    PERMISSION_WITHDRAWN = "consent.permission.withdrawn"

    DATA_OPENED = "privacy.data.opened"
    DATA_COLLECTED = "privacy.data.collected"
    DATA_REFUSED = "privacy.data.refused"
    DATA_CORRECTED = "privacy.data.corrected"
    DATA_DISCLOSED = "privacy.data.disclosed"
    DATA_EXPORTED = "privacy.data.exported"
    DATA_ERASED = "privacy.data.erased"
    DATA_PURGED = "privacy.data.purged"
    DISCLOSURE_REFUSED = "privacy.disclosure.refused"

    RECIPIENT_REGISTERED = "sharing.recipient.registered"
    AGREEMENT_SIGNED = "sharing.agreement.signed"
    FOLLOW_UP_ASKED = "sharing.follow_up.asked"
    FOLLOW_UP_CONFIRMED = "sharing.follow_up.confirmed"

    REQUEST_MADE = "rights.request.made"
    REQUEST_CANCELED = "rights.request.canceled"
    REQUEST_STARTED = "rights.request.started"
    REQUEST_COMPLETED = "rights.request.completed"
    REQUEST_FAILED = "rights.request.failed"
    EXPORT_DOWNLOADED = "rights.export.downloaded"
    EXPORT_EXPIRED = "rights.export.expired"

    PURGE_STARTED = "retention.purge.started"
    PURGE_COMPLETED = "retention.purge.completed"

    KEY_CREATED = "vault.key.created"
    KEY_DESTROYED = "vault.key.destroyed"

    POLICY_PUBLISHED = "policy.version.published"
    OPERATOR_CHANGED = "policy.operator.changed"

    ORDER_PLACED = "orders.order.placed"
    ORDER_CONFIRMED = "orders.order.confirmed"
    ORDER_CANCELED = "orders.order.canceled"
    ORDER_COMPLETED = "orders.order.completed"
    ORDER_CLOSED = "orders.order.closed"
    ORDER_EXPIRED = "orders.order.expired"
    INVOICE_ISSUED = "orders.invoice.issued"
    PAYMENT_REQUESTED = "orders.payment.requested"
    PAYMENT_AUTHORIZED = "orders.payment.authorized"
    PAYMENT_CAPTURED = "orders.payment.captured"
    PAYMENT_REFUSED = "orders.payment.refused"
    PAYMENT_REFUNDED = "orders.payment.refunded"
    PAYMENT_VOIDED = "orders.payment.voided"
    PARCEL_PACKED = "orders.parcel.packed"
    PARCEL_LABEL_REQUESTED = "orders.parcel.label_requested"
    PARCEL_LABELED = "orders.parcel.labeled"
    PARCEL_FAILED = "orders.parcel.failed"
    PARCEL_HANDED_OVER = "orders.parcel.handed_over"
    PARCEL_DELIVERED = "orders.parcel.delivered"
    WEBHOOK_REFUSED = "orders.webhook.refused"
    PRODUCT_ADDED = "orders.product.added"
    PRODUCT_CHANGED = "orders.product.changed"

    MESSAGE_QUEUED = "mail.message.queued"
    MESSAGE_SENT = "mail.message.sent"
    MESSAGE_FAILED = "mail.message.failed"

    LOG_VERIFIED = "audit.log.verified"
    LOG_FAILED = "audit.log.failed"
