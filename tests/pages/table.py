"""Every page of the site, once: where it is, who sees it, and what everybody else gets instead.

The checks of this folder are driven by this table: each role on each page, constant queries, the browser
(accessibility, console, other hosts, width, keyboard), the markup, the links and the pictures. A page that is
missing here fails `test_table.py`.

To add a page, add one line to ``PAGES``::

    page("privacy:tickets", OWN, shows=CANARY, grows=True),                    # every customer has one, with their own values
    page("privacy:ticket", HERS, lambda world: [world.ticket.pk], shows=CANARY),   # of the customer of the world alone
    page("privacy:imprint", PUBLIC),
    *staff_pages("privacy_ticket", {SUPPORT, PRIVACY_OFFICER}, lambda world: world.ticket.pk, shows=MASKS),

and, when it needs something that is not there yet, a part to `world.py` that makes it through the actions.

``shows=CANARY``: a customer who sees the page reads their own values on it (a guest only where the page is theirs alone). ``shows=MASKS``: it is about a person, and
only masks are on it. ``grows=True``: its list gets longer with the world, and not its number of queries.
``but={GUEST: NOT_FOUND}`` overrides the audience. ``variant="empty"`` tells two rows of one page apart.
What answers a GET and is no page goes into ``NO_PAGES`` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.urls import reverse

if TYPE_CHECKING:
    from tests.pages.world import World


class Who(StrEnum):
    """Everybody who may come by; the members of staff by their roles."""

    VISITOR = "visitor"
    CUSTOMER = "customer"
    OTHER = "other customer"
    GUEST = "guest"
    HALF = "staff before the second factor"
    SUPPORT = "support"
    FULFILLMENT = "fulfillment"
    FINANCE = "finance"
    FRAUD = "fraud"
    PRIVACY_OFFICER = "privacy_officer"
    SECURITY = "security"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


VISITOR, CUSTOMER, OTHER, GUEST, HALF, SUPPORT, FULFILLMENT, FINANCE, FRAUD, PRIVACY_OFFICER, SECURITY, AUDITOR, ADMINISTRATOR = Who
CUSTOMERS = frozenset({CUSTOMER, OTHER, GUEST})
STAFF = frozenset({SUPPORT, FULFILLMENT, FINANCE, FRAUD, PRIVACY_OFFICER, SECURITY, AUDITOR, ADMINISTRATOR})


class Answer(StrEnum):
    """What somebody gets, after every redirect was followed."""

    SEES = "the page"
    SIGN_IN = "/sign-in/"
    SECOND_FACTOR = "/second-factor/"
    ACCOUNT = "/account/"
    STAFF_SITE = "/admin/"
    BASKET = "/basket/"
    ELSEWHERE = "another page"
    FORBIDDEN = "403"
    NOT_FOUND = "404"


SEES, SIGN_IN, SECOND_FACTOR, ACCOUNT, STAFF_SITE, BASKET, ELSEWHERE, FORBIDDEN, NOT_FOUND = Answer
Audience = Mapping[Who, Answer]

CANARY, MASKS, NOTHING = "own values", "masks", "nothing personal"


# Audiences


def _audience(visitor: Answer, customers: Answer, staff: Answer, half: Answer = SECOND_FACTOR, **but: Answer) -> dict[Who, Answer]:
    answers = {VISITOR: visitor, HALF: half} | dict.fromkeys(CUSTOMERS, customers) | dict.fromkeys(STAFF, staff)
    return answers | {Who[name.upper()]: answer for name, answer in but.items()}


PUBLIC = _audience(SEES, SEES, SEES)
"""Everybody; who has given the password and not yet the second factor does that first."""
PUBLIC_ALWAYS = _audience(SEES, SEES, SEES, half=SEES)
SIGNED_OUT = _audience(SEES, ACCOUNT, STAFF_SITE, guest=SEES)
"""Pages with which one comes in."""
OWN = _audience(SIGN_IN, SEES, STAFF_SITE)
"""Each customer's and guest's own; staff are led to their own pages."""
OWN_ACCOUNT = OWN | {GUEST: SIGN_IN}
"""Only for people with an account."""
ACCOUNT_HOLDERS = _audience(SIGN_IN, SEES, SEES, guest=SIGN_IN)
"""About the account itself, of staff too; guests have none."""
HERS = OWN | {OTHER: NOT_FOUND, GUEST: NOT_FOUND}
"""About something of the customer's: not there for anybody else."""
THEIRS = OWN | {CUSTOMER: NOT_FOUND, GUEST: NOT_FOUND}
"""About something of the other customer's."""
GUESTS = OWN | {CUSTOMER: NOT_FOUND, OTHER: NOT_FOUND}
"""About something of the guest's."""
NOBODY = _audience(SIGN_IN, FORBIDDEN, FORBIDDEN, guest=SIGN_IN)
"""A page that Django's admin brings along, and that nobody here may use."""


def staff_only(viewers: Iterable[Who]) -> dict[Who, Answer]:
    return NOBODY | dict.fromkeys(viewers, SEES)


# Rows


Arguments = Callable[["World"], list[Any]]


@dataclass(frozen=True, eq=False)
class Page:
    """One row. ``at`` gives the parts of the address; ``query`` what follows the question mark."""

    name: str
    audience: Audience
    at: Arguments
    shows: str = NOTHING
    grows: bool = False
    query: str = ""
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.variant})" if self.variant else self.name

    def address(self, world: World) -> str:
        return reverse(self.name, args=self.at(world)) + (f"?{self.query}" if self.query else "")

    @property
    def is_staff_page(self) -> bool:
        return self.name.startswith("admin:")

    @property
    def viewers(self) -> list[Who]:
        """Who sees it, in the order of the roles."""
        return [who for who in Who if self.audience[who] == SEES]


def _nothing(world: World) -> list[Any]:
    return []


def page(name: str, audience: Audience, at: Arguments = _nothing, *, but: Mapping[Who, Answer] | None = None, **how: Any) -> Page:
    return Page(name, audience | (but or {}), at, **how)


def staff_pages(
    model: str,
    viewers: Iterable[Who],
    key: Callable[[World], Any],
    *,
    editors: Iterable[Who] = (),
    shows: str = NOTHING,
    grows: bool = True,
) -> list[Page]:
    """The list and the case page of a model, for these roles; adding for ``editors``; history and deletion for nobody."""
    viewers = frozenset(viewers) | frozenset(editors)

    def case(world: World) -> list[Any]:
        return [key(world)]

    return [
        page(f"admin:{model}_changelist", staff_only(viewers), shows=shows, grows=grows),
        page(f"admin:{model}_change", staff_only(viewers), case, shows=shows),
        page(f"admin:{model}_add", staff_only(editors)),
        page(f"admin:{model}_history", NOBODY, case),
        page(f"admin:{model}_delete", NOBODY, case),
    ]


OVERSIGHT = {PRIVACY_OFFICER, AUDITOR, SECURITY}
LOG_READERS = OVERSIGHT | {ADMINISTRATOR}

PAGES: list[Page] = [
    # The shop
    page("orders:front", PUBLIC, grows=True),
    page("orders:search", PUBLIC),
    page("orders:search", PUBLIC, query="q=thing", variant="found", grows=True),
    page("orders:search", PUBLIC, query="q=nowhere", variant="nothing found"),
    page("orders:category", PUBLIC, lambda world: [world.category.slug]),
    page("orders:product", PUBLIC, lambda world: [world.product.slug]),
    page("orders:basket", PUBLIC),
    page("orders:checkout", PUBLIC, but=dict.fromkeys(STAFF, STAFF_SITE), shows=CANARY),
    # Orders of a customer
    page("orders:placed", HERS, lambda world: [world.placed.code], but=dict.fromkeys(STAFF, NOT_FOUND)),
    page("orders:list", OWN, grows=True),
    page("orders:detail", HERS, lambda world: [world.delivered.code], shows=CANARY, variant="delivered"),
    page("orders:detail", HERS, lambda world: [world.received.code], shows=CANARY, variant="received"),
    page("orders:detail", HERS, lambda world: [world.declined.code], shows=CANARY, variant="payment failed"),
    page("orders:detail", HERS, lambda world: [world.canceled.code], shows=CANARY, variant="canceled"),
    page("orders:detail", THEIRS, lambda world: [world.others_order.code], shows=CANARY, variant="of the other customer"),
    page("orders:detail", GUESTS, lambda world: [world.guests_order.code], shows=CANARY, variant="of a guest"),
    page("orders:cancel-plan", HERS, lambda world: [world.received.code]),
    page("orders:cancel-plan", HERS, lambda world: [world.delivered.code], but={CUSTOMER: ELSEWHERE}, variant="too late"),
    page("orders:invoice", HERS, lambda world: [world.delivered.code], shows=CANARY),
    page("orders:credit-notes", HERS, lambda world: [world.withdrawn.code], shows=CANARY),
    page("orders:credit-notes", HERS, lambda world: [world.received.code], variant="empty"),
    page("orders:cancel-purchase", PUBLIC, grows=True),
    page("orders:withdraw", HERS, lambda world: [world.delivered.code], shows=CANARY),
    page("orders:withdraw", GUESTS, lambda world: [world.guests_order.code], shows=CANARY, variant="of a guest"),
    page("orders:withdraw", HERS, lambda world: [world.withdrawn.code], but={CUSTOMER: ELSEWHERE}, variant="nothing left"),
    page("orders:withdrawals", HERS, lambda world: [world.withdrawn.code], shows=CANARY),
    # Without an account
    page("orders:lookup", PUBLIC),
    page("orders:lookup-sent", PUBLIC),
    page("orders:guest", PUBLIC, lambda world: [world.guest_token]),
    page("orders:new-link", OWN, but={CUSTOMER: ELSEWHERE, OTHER: ELSEWHERE}),
    # Accounts
    page("accounts:sign-up", SIGNED_OUT),
    page("accounts:sign-up-sent", PUBLIC),
    page("accounts:sign-in", SIGNED_OUT),
    page("accounts:confirm", PUBLIC, lambda world: [world.confirm_token]),
    page("accounts:password-reset", PUBLIC),
    page("accounts:password-reset-sent", PUBLIC),
    page("accounts:password-reset-set", PUBLIC, lambda world: [world.reset_token]),
    page("accounts:second-factor", _audience(SIGN_IN, ACCOUNT, STAFF_SITE, half=SEES, guest=SIGN_IN)),
    page("accounts:enroll", PUBLIC_ALWAYS, lambda world: [world.enroll_token]),
    page("accounts:invitation", PUBLIC, lambda world: [world.invitation_token]),
    page("accounts:agree", PUBLIC, lambda world: [world.agree_token]),
    page("accounts:refuse", PUBLIC, lambda world: [world.refuse_token]),
    page("accounts:overview", OWN, shows=CANARY),
    page("accounts:details", OWN_ACCOUNT, shows=CANARY),
    page("accounts:security", ACCOUNT_HOLDERS),
    page("accounts:end-others", ACCOUNT_HOLDERS),
    page("accounts:password", ACCOUNT_HOLDERS),
    page("accounts:set-up-second-factor", ACCOUNT_HOLDERS, but=dict.fromkeys(STAFF, ELSEWHERE)),
    page("accounts:remove-second-factor", ACCOUNT_HOLDERS, but=dict.fromkeys((CUSTOMER, OTHER), ELSEWHERE)),
    page("accounts:recovery-codes", ACCOUNT_HOLDERS, but=dict.fromkeys((CUSTOMER, OTHER), ELSEWHERE)),
    # Rights
    page("privacy:my-data", OWN),
    page("privacy:category", OWN, lambda world: ["account"], shows=CANARY, variant="account"),
    page("privacy:category", OWN, lambda world: ["purchase"], grows=True, variant="purchase"),
    page("privacy:category", OWN, lambda world: ["delivery"], grows=True, variant="delivery"),
    page("privacy:category", OWN, lambda world: ["financial"], grows=True, variant="financial"),
    page("privacy:category", OWN, lambda world: ["interaction"], variant="interaction"),
    page("privacy:time-line", OWN),
    page("privacy:uses", OWN, grows=True),
    page("privacy:uses", OWN, query="who=everybody&since=30&refused=on", variant="filtered"),
    page("privacy:recipients", OWN),
    page("privacy:recipient", HERS, lambda world: [world.recipient.slug], grows=True),
    page("privacy:correct", OWN, grows=True),
    page("privacy:correct-record", HERS, lambda world: [world.correctable.pk], shows=CANARY),
    page("privacy:freeze", OWN),
    page("privacy:object", OWN),
    page("privacy:get-a-copy", OWN),
    page("privacy:permissions", OWN),
    page("privacy:permission", OWN, lambda world: ["order"]),
    page("privacy:withdraw", OWN, lambda world: ["order"]),
    page("privacy:requests", OWN, grows=True),
    page("privacy:request", HERS, lambda world: [world.copy.pk], variant="copy"),
    page("privacy:request", HERS, lambda world: [world.correction.pk], variant="correction"),
    page("privacy:request", HERS, lambda world: [world.proposal.pk], shows=CANARY, variant="proposed correction"),
    page("privacy:request", HERS, lambda world: [world.objection.pk], variant="objection"),
    page("privacy:request", THEIRS, lambda world: [world.others_erasure.pk], variant="erasure"),
    page("privacy:download", HERS, lambda world: [world.copy.pk]),
    page("privacy:erase", OWN, but={OTHER: ELSEWHERE}),
    page("privacy:tickets", OWN, grows=True),
    page("privacy:new-ticket", OWN),
    page("privacy:ticket", HERS, lambda world: [world.ticket.pk], shows=CANARY, variant="with us"),
    page("privacy:ticket", HERS, lambda world: [world.answered.pk], shows=CANARY, variant="answered"),
    page("privacy:complain", PUBLIC, but=dict.fromkeys(CUSTOMERS, ELSEWHERE)),
    page("privacy:complain-sent", PUBLIC),
    page("privacy:complain-link", PUBLIC, lambda world: [world.complaint_token]),
    page("privacy:receipt", PUBLIC_ALWAYS, lambda world: [world.receipt_token]),
    # The policy
    page("privacy:policy", PUBLIC_ALWAYS),
    page("privacy:policy-version", PUBLIC_ALWAYS, lambda world: [1], variant="in force"),
    page("privacy:policy-version", PUBLIC_ALWAYS, lambda world: [2], variant="announced"),
    page("privacy:policy-history", PUBLIC_ALWAYS),
    page("privacy:policy-differences", PUBLIC_ALWAYS, lambda world: [1, 2]),
    page("privacy:announcements", PUBLIC_ALWAYS),
    page("privacy:announcement", PUBLIC_ALWAYS, lambda world: [2]),
    page("privacy:promises", PUBLIC_ALWAYS),
    page("audit:log", PUBLIC_ALWAYS),
    page("privacy:imprint", PUBLIC_ALWAYS),
    page("privacy:terms", PUBLIC_ALWAYS),
    page("privacy:security-contact", PUBLIC_ALWAYS),
    # For programs
    page("accounts:tokens", OWN, but={GUEST: NOT_FOUND}),
    page("accounts:token-end", HERS, lambda world: [world.token.pk]),
    page("api:reference", PUBLIC_ALWAYS),
    # The demo
    page("demo:accounts", PUBLIC_ALWAYS),
    page("demo:mailbox", PUBLIC_ALWAYS),
    page("demo:message", PUBLIC_ALWAYS, lambda world: [world.mail_id]),
    # Staff
    page("admin:index", staff_only(STAFF)),
    page("admin:roles", staff_only(STAFF)),
    *staff_pages("orders_product", STAFF, lambda world: world.product.pk, editors={ADMINISTRATOR}),
    *staff_pages("orders_productcategory", STAFF, lambda world: world.category.pk, editors={ADMINISTRATOR}, grows=False),
    *staff_pages("orders_stockitem", STAFF, lambda world: world.product.stock.pk),
    *staff_pages("orders_stockmovement", STAFF, lambda world: world.first_movement.pk),
    *staff_pages("orders_taxrate", STAFF, lambda world: world.tax_rate.pk, editors={ADMINISTRATOR}),
    *staff_pages("orders_shippingrate", STAFF, lambda world: world.shipping_rate.pk, editors={ADMINISTRATOR}),
    *staff_pages(
        "orders_contractwithdrawal",
        {SUPPORT, FULFILLMENT, FINANCE, PRIVACY_OFFICER, ADMINISTRATOR},
        lambda world: world.withdrawal.pk,
        shows=MASKS,
        grows=False,
    ),
    *staff_pages(
        "orders_order",
        {SUPPORT, FULFILLMENT, FINANCE, FRAUD, PRIVACY_OFFICER, ADMINISTRATOR},
        lambda world: world.delivered.pk,
        shows=MASKS,
    ),
    *staff_pages("accounts_user", {ADMINISTRATOR, PRIVACY_OFFICER, SUPPORT}, lambda world: world.customer.pk, shows=MASKS),
    page("admin:accounts_user_invite", staff_only({ADMINISTRATOR})),
    *(
        page(f"admin:accounts_user_{step}", staff_only({ADMINISTRATOR}), lambda world: [world.users[SUPPORT].pk])
        for step in ("role", "reset", "leave")
    ),
    *staff_pages("privacy_policyversion", STAFF, lambda world: world.policy.pk, grows=False),
    *staff_pages(
        "privacy_policydraft",
        {ADMINISTRATOR, PRIVACY_OFFICER},
        lambda world: world.draft.pk,
        editors={ADMINISTRATOR, PRIVACY_OFFICER},
        grows=False,
    ),
    *(
        page(f"admin:privacy_policydraft_{what}", staff_only({ADMINISTRATOR, PRIVACY_OFFICER}), lambda world: [world.draft.pk, "de"])
        for what in ("words", "preview")
    ),
    page("admin:privacy_policydraft_purposes", staff_only({ADMINISTRATOR, PRIVACY_OFFICER}), lambda world: [world.draft.pk]),
    page("admin:privacy_policydraft_announce", staff_only({PRIVACY_OFFICER}), lambda world: [world.draft.pk]),
    *staff_pages("privacy_operatoridentity", STAFF, lambda world: world.operator.pk, editors={ADMINISTRATOR, PRIVACY_OFFICER}, grows=False),
    *staff_pages("privacy_ticket", {SUPPORT, PRIVACY_OFFICER, ADMINISTRATOR, AUDITOR}, lambda world: world.ticket.pk, shows=MASKS),
    *staff_pages(
        "privacy_cannedreply",
        {SUPPORT, PRIVACY_OFFICER, ADMINISTRATOR, AUDITOR},
        lambda world: world.canned.pk,
        editors={SUPPORT, PRIVACY_OFFICER},
        grows=False,
    ),
    *staff_pages("privacy_request", {PRIVACY_OFFICER, AUDITOR}, lambda world: world.copy.pk, shows=MASKS),
    *staff_pages("privacy_receipt", {PRIVACY_OFFICER, AUDITOR}, lambda world: world.receipt.pk, shows=MASKS, grows=False),
    *staff_pages("privacy_subject", {FRAUD, PRIVACY_OFFICER, SECURITY}, lambda world: world.customer.subject_id, shows=MASKS, grows=False),
    *staff_pages("privacy_opening", OVERSIGHT, lambda world: world.opening.pk, shows=MASKS),
    *staff_pages("privacy_review", OVERSIGHT, lambda world: world.review.pk, shows=MASKS),
    *staff_pages("privacy_openingclosure", OVERSIGHT, lambda world: world.closure.pk),
    *staff_pages("privacy_alert", OVERSIGHT, lambda world: world.alert.pk),
    *staff_pages("privacy_recipient", OVERSIGHT, lambda world: world.recipient.pk, grows=False),
    *staff_pages("privacy_agreement", OVERSIGHT, lambda world: world.agreement.pk, grows=False),
    *staff_pages("privacy_disclosure", OVERSIGHT, lambda world: world.disclosure.pk, shows=MASKS),
    *staff_pages("privacy_followup", OVERSIGHT, lambda world: world.follow_up.pk, shows=MASKS, grows=False),
    *staff_pages("privacy_proposal", STAFF, lambda world: world.act_of_two.pk),
    page(
        "admin:privacy_proposal_ask", staff_only({ADMINISTRATOR, PRIVACY_OFFICER}), lambda world: ["matrix-override"], variant="exception"
    ),
    page("admin:privacy_proposal_ask", staff_only({PRIVACY_OFFICER}), lambda world: ["hold-release"], variant="hold"),
    page("admin:privacy_proposal_ask", staff_only({PRIVACY_OFFICER, SECURITY}), lambda world: ["silence"], variant="silence"),
    page("admin:privacy_proposal_ask", staff_only({PRIVACY_OFFICER, SECURITY}), lambda world: ["log-bundle"], variant="bundle"),
    *staff_pages("privacy_silence", LOG_READERS, lambda world: world.silence.pk, grows=False),
    *staff_pages("privacy_matrixoverride", STAFF, lambda world: world.override.pk, grows=False),
    *staff_pages(
        "privacy_hold", {PRIVACY_OFFICER, AUDITOR, ADMINISTRATOR}, lambda world: world.hold.pk, editors={PRIVACY_OFFICER}, grows=False
    ),
    page("admin:privacy_staffexport_changelist", staff_only(STAFF - {ADMINISTRATOR})),
    page(
        "admin:privacy_staffexport_change",
        staff_only(OVERSIGHT | {SUPPORT}),
        lambda world: [world.staff_export.pk],
        but=dict.fromkeys((FULFILLMENT, FINANCE, FRAUD), STAFF_SITE),
    ),
    page(
        "admin:privacy_staffexport_download",
        staff_only({SUPPORT}),
        lambda world: [world.staff_export.pk],
        but=dict.fromkeys(OVERSIGHT | {FULFILLMENT, FINANCE, FRAUD}, NOT_FOUND),
    ),
    *(
        page(f"admin:privacy_staffexport_{what}", NOBODY, lambda world, what=what: [] if what == "add" else [world.staff_export.pk])
        for what in ("add", "history", "delete")
    ),
    *staff_pages("privacy_purgerun", LOG_READERS, lambda world: world.purge.pk, grows=False),
    *staff_pages("audit_entry", LOG_READERS, lambda world: world.entry.pk),
    page("admin:audit_entry_changelist", staff_only(LOG_READERS), query="role=support&outcome=refused", variant="search"),
    *staff_pages("audit_checkpoint", LOG_READERS, lambda world: world.checkpoint.pk, grows=False),
    *staff_pages("audit_verification", LOG_READERS, lambda world: world.verification.pk, grows=False),
    *(page("admin:app_list", staff_only(STAFF), lambda world, app=app: [app], variant=app) for app in ("orders", "privacy")),
]

NO_PAGES = {
    "audit:verifier": "a program to download",
    "accounts:change-password": "leads to where a password is changed",
    "accounts:second-factor-picture": "a picture on the page of the second factor",
    "orders:picture": "a drawing of a product",
    "privacy:announcements-feed": "Atom, for programs that read feeds",
    "privacy:security-txt": "RFC 9116, for programs",
    "privacy:ticket-file": "a download",
    "privacy:proof": "a download",
    "privacy:proofs": "a download",
    "privacy:request-progress": "a part of the request's page, asked for again and again",
    "admin:login": "leads to our own sign-in",
    "admin:logout": "ends the session, by POST",
    "admin:password_change": "leads to where a password is changed",
    "admin:password_change_done": "Django's own page, which nothing leads to",
    "admin:autocomplete": "answers of Django's admin in JSON",
    "admin:jsi18n": "words for the scripts of Django's admin",
    "admin:view_on_site": "leads to an object's page on the site",
    "admin:None": "leads to a case page, or to nothing",
}
"""What answers a GET and is no page of its own."""

TESTED_ELSEWHERE = {"api:": "tests/api: for programs"}
"""Whole namespaces, by how their names begin."""
