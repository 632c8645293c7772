"""Keeps PROTECT-2: what the log records, in the words that other people's monitoring knows (OWASP logging vocabulary)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from audit.events import Event


class Level(StrEnum):
    """How loud a line is, as the vocabulary says for each word."""

    INFO = "INFO"
    WARN = "WARN"
    CRITICAL = "CRITICAL"


class Word(StrEnum):
    """The whole vocabulary: a closed list, of which we use a part."""

    AUTHN_LOGIN_SUCCESS = "authn_login_success"
    AUTHN_LOGIN_SUCCESSAFTERFAIL = "authn_login_successafterfail"
    AUTHN_LOGIN_FAIL = "authn_login_fail"
    AUTHN_LOGIN_FAIL_MAX = "authn_login_fail_max"
    AUTHN_LOGIN_LOCK = "authn_login_lock"
    AUTHN_PASSWORD_CHANGE = "authn_password_change"  # noqa: S105
    AUTHN_PASSWORD_CHANGE_FAIL = "authn_password_change_fail"  # noqa: S105
    AUTHN_IMPOSSIBLE_TRAVEL = "authn_impossible_travel"
    AUTHN_TOKEN_CREATED = "authn_token_created"  # noqa: S105
    AUTHN_TOKEN_REVOKED = "authn_token_revoked"  # noqa: S105
    AUTHN_TOKEN_REUSE = "authn_token_reuse"  # noqa: S105
    AUTHN_TOKEN_DELETE = "authn_token_delete"  # noqa: S105
    AUTHZ_FAIL = "authz_fail"
    AUTHZ_CHANGE = "authz_change"
    AUTHZ_ADMIN = "authz_admin"
    PRIVILEGE_PERMISSIONS_CHANGED = "privilege_permissions_changed"
    CRYPT_ENCRYPT_FAIL = "crypt_encrypt_fail"
    CRYPT_DECRYPT_FAIL = "crypt_decrypt_fail"
    EXCESS_RATE_LIMIT_EXCEEDED = "excess_rate_limit_exceeded"
    EXCESS_SESSIONS_EXCEEDED = "excess_sessions_exceeded"
    UPLOAD_COMPLETE = "upload_complete"
    UPLOAD_STORED = "upload_stored"
    UPLOAD_VALIDATION = "upload_validation"
    UPLOAD_DELETE = "upload_delete"
    INPUT_VALIDATION_FAIL = "input_validation_fail"
    INPUT_VALIDATION_DISCRETE_FAIL = "input_validation_discrete_fail"
    MALICIOUS_EXCESS_404 = "malicious_excess_404"
    MALICIOUS_EXTRANEOUS = "malicious_extraneous"
    MALICIOUS_ATTACK_TOOL = "malicious_attack_tool"
    MALICIOUS_SQLI = "malicious_sqli"
    MALICIOUS_CORS = "malicious_cors"
    MALICIOUS_DIRECT_REFERENCE = "malicious_direct_reference"
    MALICIOUS_CSRF = "malicious_csrf"
    MALICIOUS_CSP_VIOLATION = "malicious_csp_violation"
    SENSITIVE_CREATE = "sensitive_create"
    SENSITIVE_READ = "sensitive_read"
    SENSITIVE_UPDATE = "sensitive_update"
    SENSITIVE_DELETE = "sensitive_delete"
    SEQUENCE_FAIL = "sequence_fail"
    SESSION_CREATED = "session_created"
    SESSION_RENEWED = "session_renewed"
    SESSION_EXPIRED = "session_expired"
    SESSION_LOGOUT = "session_logout"
    SESSION_USE_AFTER_EXPIRE = "session_use_after_expire"
    SYS_STARTUP = "sys_startup"
    SYS_SHUTDOWN = "sys_shutdown"
    SYS_RESTART = "sys_restart"
    SYS_CRASH = "sys_crash"
    SYS_MONITOR_DISABLED = "sys_monitor_disabled"
    SYS_MONITOR_ENABLED = "sys_monitor_enabled"
    USER_CREATED = "user_created"
    USER_UPDATED = "user_updated"
    USER_ARCHIVED = "user_archived"
    USER_DELETED = "user_deleted"


W, L = Word, Level

SAID: Mapping[Word, tuple[Level, str]] = MappingProxyType(
    {
        W.AUTHN_LOGIN_SUCCESS: (L.INFO, "Somebody signed in, or gave a second factor that was right."),
        W.AUTHN_LOGIN_FAIL: (L.WARN, "A sign-in or a second factor was refused."),
        W.AUTHN_LOGIN_FAIL_MAX: (L.WARN, "An account reached the limit of failed sign-ins."),
        W.AUTHN_LOGIN_LOCK: (L.WARN, "An account was locked for a while."),
        W.AUTHN_PASSWORD_CHANGE: (L.INFO, "A password was changed."),
        W.AUTHN_TOKEN_CREATED: (L.INFO, "A second factor, recovery codes or a token for programs were made."),
        W.AUTHN_TOKEN_REVOKED: (L.INFO, "A second factor or a token for programs was made to stop working."),
        W.AUTHN_TOKEN_DELETE: (L.WARN, "A second factor was removed."),
        W.AUTHZ_FAIL: (L.CRITICAL, "Somebody was refused what they may not have."),
        W.AUTHZ_CHANGE: (L.WARN, "What somebody may do was changed."),
        W.AUTHZ_ADMIN: (L.WARN, "Somebody used a right that few have."),
        W.PRIVILEGE_PERMISSIONS_CHANGED: (L.WARN, "What a role, a partner or a login of the database may have was changed."),
        W.CRYPT_DECRYPT_FAIL: (L.WARN, "A stored value, or the keys that lock it, could not be opened."),
        W.EXCESS_RATE_LIMIT_EXCEEDED: (L.WARN, "A member of staff reached the limit of people they may open."),
        W.MALICIOUS_DIRECT_REFERENCE: (L.CRITICAL, "A message that its partner did not sign was refused."),
        W.SENSITIVE_CREATE: (L.WARN, "Personal data was collected."),
        W.SENSITIVE_READ: (L.WARN, "Personal data was opened, handed out or let out."),
        W.SENSITIVE_UPDATE: (L.WARN, "Personal data was changed."),
        W.SENSITIVE_DELETE: (L.WARN, "Personal data or its keys were destroyed."),
        W.SESSION_CREATED: (L.INFO, "A session began."),
        W.SESSION_LOGOUT: (L.INFO, "Sessions were ended."),
        W.SYS_MONITOR_DISABLED: (L.WARN, "The log or the wall in the database does not hold, or is not watched as it should be."),
        W.SYS_MONITOR_ENABLED: (L.WARN, "The log passed its verification."),
        W.USER_CREATED: (L.WARN, "An account was opened."),
        W.USER_UPDATED: (L.WARN, "An account was changed."),
        W.USER_ARCHIVED: (L.WARN, "An account was closed."),
    }
)
"""Level, which is the vocabulary's own, and fixed words of each word that we use."""

NONE: tuple[Word, ...] = ()

WORDS: Mapping[Event, tuple[Word, ...]] = MappingProxyType(
    {
        Event.ACCOUNT_CREATED: (W.USER_CREATED,),
        Event.ACCOUNT_LOCKED_OUT: (W.AUTHN_LOGIN_FAIL_MAX, W.AUTHN_LOGIN_LOCK),
        Event.ACCOUNT_SEARCHED: (W.SENSITIVE_READ,),
        Event.ACCOUNT_CLOSED: (W.USER_ARCHIVED,),
        Event.MAILBOX_CONFIRMED: (W.USER_UPDATED,),
        Event.MAILBOX_CHANGE_REQUESTED: NONE,  # nothing has changed yet
        Event.MAILBOX_CHANGE_ANSWERED: NONE,  # the change itself is details.corrected
        Event.MAILBOX_CHANGE_CANCELED: NONE,
        Event.MAILBOX_INDEX_ROTATED: NONE,
        Event.SESSION_STARTED: (W.AUTHN_LOGIN_SUCCESS, W.SESSION_CREATED),
        Event.SESSION_ENDED: (W.SESSION_LOGOUT,),
        Event.SESSION_REFUSED: (W.AUTHN_LOGIN_FAIL,),
        Event.PASSWORD_CHANGED: (W.AUTHN_PASSWORD_CHANGE,),
        Event.PASSWORD_RESET_REQUESTED: NONE,  # anybody can ask about any address
        Event.SECOND_FACTOR_ENROLLED: (W.AUTHN_TOKEN_CREATED,),
        Event.SECOND_FACTOR_PASSED: (W.AUTHN_LOGIN_SUCCESS,),
        Event.SECOND_FACTOR_REFUSED: (W.AUTHN_LOGIN_FAIL,),
        Event.SECOND_FACTOR_REMOVED: (W.AUTHN_TOKEN_DELETE,),
        Event.SECOND_FACTOR_RESET: (W.AUTHN_TOKEN_REVOKED,),
        Event.RECOVERY_CODES_ISSUED: (W.AUTHN_TOKEN_CREATED,),
        Event.RECOVERY_CODE_USED: (W.AUTHN_LOGIN_SUCCESS,),
        Event.STAFF_INVITED: (W.USER_CREATED,),
        Event.STAFF_JOINED: (W.USER_UPDATED,),
        Event.STAFF_APPOINTED: (W.AUTHZ_CHANGE,),
        Event.STAFF_LEFT: (W.AUTHZ_CHANGE,),
        Event.DETAILS_CORRECTED: (W.USER_UPDATED,),
        Event.API_TOKEN_MADE: (W.AUTHN_TOKEN_CREATED,),
        Event.API_TOKEN_ENDED: (W.AUTHN_TOKEN_REVOKED,),
        # A person's own permissions are no privileges of an account.
        Event.PERMISSION_GIVEN: NONE,
        Event.PERMISSION_WITHDRAWN: NONE,
        Event.DATA_OPENED: (W.SENSITIVE_READ,),
        Event.DATA_COLLECTED: (W.SENSITIVE_CREATE,),
        Event.DATA_REFUSED: (W.AUTHZ_FAIL,),
        Event.DATA_CORRECTED: (W.SENSITIVE_UPDATE,),
        Event.DATA_DISCLOSED: (W.SENSITIVE_READ,),
        Event.DATA_EXPORTED: (W.SENSITIVE_READ,),
        Event.DATA_ERASED: (W.SENSITIVE_DELETE,),
        Event.DATA_PURGED: (W.SENSITIVE_DELETE,),
        Event.DISCLOSURE_REFUSED: (W.AUTHZ_FAIL,),
        Event.RECIPIENT_REGISTERED: NONE,  # without an agreement nothing goes to it
        Event.AGREEMENT_SIGNED: (W.PRIVILEGE_PERMISSIONS_CHANGED,),
        Event.FOLLOW_UP_ASKED: NONE,
        Event.FOLLOW_UP_CONFIRMED: NONE,
        # The steps of a right; what is done to data on the way says data.* beside them.
        Event.REQUEST_MADE: NONE,
        Event.REQUEST_CANCELED: NONE,
        Event.REQUEST_STARTED: NONE,
        Event.REQUEST_COMPLETED: NONE,
        Event.REQUEST_FAILED: NONE,
        Event.RESTRICTION_BEGUN: NONE,
        Event.RESTRICTION_LIFTED: NONE,
        Event.EXPORT_DOWNLOADED: (W.SENSITIVE_READ,),
        Event.EXPORT_EXPIRED: NONE,
        # What is written and read in a ticket says data.collected and data.opened beside these.
        Event.TICKET_WRITTEN: NONE,
        Event.TICKET_OPENED: NONE,
        Event.TICKET_TAKEN: NONE,
        Event.TICKET_RELEASED: NONE,
        Event.TICKET_REFERRED: NONE,
        Event.TICKET_ANSWERED: NONE,
        Event.TICKET_CUSTOMER_WROTE: NONE,
        Event.TICKET_CUSTOMER_ASKED: NONE,
        Event.TICKET_WAITED_OUT: NONE,
        Event.TICKET_NOTED: NONE,
        Event.TICKET_REMINDED: NONE,
        Event.TICKET_ESCALATED: NONE,
        Event.TICKET_RESOLVED: NONE,
        Event.TICKET_WITHDRAWN: NONE,
        Event.TICKET_REOPENED: NONE,
        Event.TICKET_CLOSED: NONE,
        Event.TICKET_DISCARDED: (W.SENSITIVE_DELETE,),
        Event.TICKET_LINK_SENT: NONE,
        Event.ATTACHMENT_DOWNLOADED: NONE,
        Event.CANNED_REPLY_CHANGED: NONE,
        Event.PURGE_STARTED: NONE,
        Event.PURGE_COMPLETED: NONE,
        Event.KEY_DESTROYED: (W.SENSITIVE_DELETE,),
        Event.KEYS_REWRAPPED: NONE,
        Event.KEYS_RENEWED: NONE,
        Event.EPOCH_DESTROYED: NONE,
        Event.ERASURE_REPLAYED: (W.SENSITIVE_DELETE,),
        Event.POLICY_PUBLISHED: (W.AUTHZ_ADMIN,),
        Event.POLICY_WITHDRAWN: (W.AUTHZ_ADMIN,),
        Event.POLICY_DRAFT_STARTED: NONE,
        Event.POLICY_DRAFT_CHANGED: NONE,
        Event.POLICY_DRAFT_DISCARDED: NONE,
        Event.OPERATOR_CHANGED: (W.AUTHZ_ADMIN,),
        # Trade: who is touched by it says data.* beside these.
        Event.ORDER_PLACED: NONE,
        Event.ORDER_CONFIRMED: NONE,
        Event.ORDER_CANCELED: NONE,
        Event.ORDER_COMPLETED: NONE,
        Event.ORDER_CLOSED: NONE,
        Event.ORDER_EXPIRED: NONE,
        Event.INVOICE_ISSUED: NONE,
        Event.CREDIT_NOTE_ISSUED: NONE,
        Event.LOOKUP_REQUESTED: NONE,  # anybody can ask about any order
        Event.GUEST_ADMITTED: (W.SESSION_CREATED,),
        Event.WITHDRAWAL_DECLARED: NONE,
        Event.WITHDRAWAL_ACKNOWLEDGED: NONE,
        Event.WITHDRAWAL_ACCEPTED_LATE: NONE,
        Event.WITHDRAWAL_EXEMPTED: NONE,
        Event.WITHDRAWAL_GOODS_RECEIVED: NONE,
        Event.WITHDRAWAL_CLOSED: NONE,
        Event.PAYMENT_REQUESTED: NONE,
        Event.PAYMENT_AUTHORIZED: NONE,
        Event.PAYMENT_CAPTURED: NONE,
        Event.PAYMENT_REFUSED: NONE,
        Event.PAYMENT_REFUNDED: NONE,
        Event.PAYMENT_VOIDED: NONE,
        Event.PARCEL_PACKED: NONE,
        Event.PARCEL_LABEL_REQUESTED: NONE,
        Event.PARCEL_LABELED: NONE,
        Event.PARCEL_FAILED: NONE,
        Event.PARCEL_CALLED_BACK: NONE,
        Event.PARCEL_HANDED_OVER: NONE,
        Event.PARCEL_DELIVERED: NONE,
        Event.WEBHOOK_REFUSED: (W.MALICIOUS_DIRECT_REFERENCE,),
        Event.PRODUCT_ADDED: NONE,
        Event.PRODUCT_CHANGED: NONE,
        Event.PRODUCT_OFFERED: NONE,
        Event.PRODUCT_TAKEN_OFF: NONE,
        Event.PRODUCT_CATEGORY_ADDED: NONE,
        Event.PRODUCT_CATEGORY_CHANGED: NONE,
        Event.STOCK_RECEIVED: NONE,
        Event.STOCK_WRITTEN_OFF: NONE,
        Event.STOCK_COUNTED: NONE,
        Event.TAX_RATE_SET: NONE,
        Event.TAX_RATE_TAKEN_BACK: NONE,
        Event.SHIPPING_RATE_SET: NONE,
        Event.SHIPPING_RATE_TAKEN_BACK: NONE,
        Event.MESSAGE_QUEUED: NONE,
        Event.MESSAGE_SENT: NONE,
        Event.MESSAGE_FAILED: NONE,
        Event.PROPOSAL_MADE: NONE,
        Event.PROPOSAL_APPROVED: (W.AUTHZ_ADMIN,),
        Event.PROPOSAL_REFUSED: NONE,
        Event.PROPOSAL_WITHDRAWN: NONE,
        Event.PROPOSAL_RETURNED: NONE,
        Event.PROPOSAL_PERFORMED: (W.AUTHZ_ADMIN,),
        Event.PROPOSAL_FAILED: NONE,
        Event.PROPOSAL_EXPIRED: NONE,
        Event.MATRIX_OVERRIDDEN: (W.PRIVILEGE_PERMISSIONS_CHANGED,),
        Event.MATRIX_RESTORED: (W.PRIVILEGE_PERMISSIONS_CHANGED,),
        Event.HOLD_PLACED: (W.AUTHZ_ADMIN,),
        Event.HOLD_RELEASED: (W.AUTHZ_ADMIN,),
        Event.DATA_EXTRACTED: (W.SENSITIVE_READ,),
        Event.EXTRACT_DOWNLOADED: (W.SENSITIVE_READ,),
        Event.EXTRACT_EXPIRED: NONE,
        Event.NOTICE_RELEASED: NONE,
        Event.OPENINGS_CONFIRMED: NONE,
        Event.OPENINGS_CLOSED: (W.EXCESS_RATE_LIMIT_EXCEEDED, W.AUTHZ_CHANGE),
        Event.OPENINGS_LIFTED: (W.AUTHZ_CHANGE,),
        Event.REVIEW_DRAWN: NONE,
        Event.REVIEW_DECIDED: NONE,
        Event.ALERT_RAISED: NONE,  # those of what was noticed: ALERTS
        Event.ALERT_CLOSED: NONE,
        Event.LOG_VERIFIED: (W.SYS_MONITOR_ENABLED,),
        Event.LOG_FAILED: (W.SYS_MONITOR_DISABLED,),
        Event.STORY_TOLD: NONE,
        Event.DATA_CHANGED_UNATTRIBUTED: (W.SENSITIVE_UPDATE,),
        Event.REQUEST_TAKEN: NONE,
        Event.REQUEST_RELEASED: NONE,
        Event.LOG_MONTH_RETIRED: NONE,
        Event.DATA_RESEALED: NONE,
        Event.TRAIT_NOTED: NONE,
        Event.ERASURE_ADVANCED: (W.SENSITIVE_DELETE,),
        Event.LOG_SEARCHED: (W.SENSITIVE_READ,),
        Event.LOG_ENTRY_READ: (W.SENSITIVE_READ,),
        Event.LOG_SEARCH_KEPT: NONE,
        Event.LOG_SEARCH_DROPPED: NONE,
        Event.SILENCE_BEGUN: (W.AUTHZ_ADMIN,),
        Event.SILENCE_RELEASED: (W.AUTHZ_ADMIN,),
        Event.PROOF_DOWNLOADED: NONE,
    }
)
"""Which words each event has; NONE where the vocabulary has none for it, or where an entry beside it says it already."""

ALERTS: Mapping[str, tuple[Word, ...]] = MappingProxyType(
    {
        # The looks, refusals, changes and verifications that these are about have lines of their own.
        "volume": NONE,
        "hours": NONE,
        "shared_trait": NONE,
        "own_record": NONE,
        "colleague": NONE,
        "ended_case": NONE,
        "openings_closed": NONE,
        "break_glass": NONE,
        "unattributed_change": NONE,
        "log_failed": NONE,
        "opening_unjustified": NONE,  # a judgment, of which the vocabulary knows none
        "key_overdue": NONE,  # nothing has happened to it
        "key_log_kept": NONE,
        "key_ring_failed": (W.CRYPT_DECRYPT_FAIL,),
        "value_unreadable": (W.CRYPT_DECRYPT_FAIL,),
        "wall_breached": (W.PRIVILEGE_PERMISSIONS_CHANGED, W.SYS_MONITOR_DISABLED),
        "log_contradicted": (W.SYS_MONITOR_DISABLED,),
        "log_unpublished": (W.SYS_MONITOR_DISABLED,),
        "log_months_late": (W.SYS_MONITOR_DISABLED,),
        "log_unverified": (W.SYS_MONITOR_DISABLED,),
        "log_waiting": (W.SYS_MONITOR_DISABLED,),
    }
)
"""The words of an alert by what was noticed, which is the outcome of its entry."""


def words_of(event: Event, outcome: str) -> tuple[Word, ...]:
    return ALERTS.get(outcome, NONE) if event is Event.ALERT_RAISED else WORDS.get(event, NONE)
