"""The published promises as data: what enforces each, and where its live evidence comes from (all ids)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, models, transaction
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from privacy.policy.errors import PolicyError, UnknownPromise
from privacy.vault.errors import VaultError

COUNTED_AT_MOST = 10_000


class Group(models.TextChoices):
    """One section of the published policy each."""

    COLLECT = "COLLECT", _("What is collected, and why")
    PROTECT = "PROTECT", _("Storage and protection")
    USE = "USE", _("Use and sharing")
    RIGHTS = "RIGHTS", _("Your rights")
    CHANGE = "CHANGE", _("Upkeep and revision")


@dataclass(frozen=True)
class Promise:
    """One promise. ``control`` is the sentence that says which code enforces it; None while none does."""

    id: str
    title: LazyText
    control: str | None

    @property
    def group(self) -> Group:
        return Group(self.id.partition("-")[0])


@dataclass(frozen=True)
class Evidence:
    """What the running system says of a promise: numbers, never a personal value.

    ``ok`` is None when there is nothing to judge yet; ``at`` is when it was established, None for just now.
    """

    ok: bool | None
    text: str
    at: datetime | None = None


EvidenceSource = Callable[[], Evidence]

_PROMISES: tuple[Promise, ...] = (
    Promise(
        "COLLECT-1",
        _("We collect only what a purchase, its delivery and its after-sales need."),
        "privacy.declarations.registry.check_declarations, asked at every start, refuses a field that is neither personal() nor "
        "explained as not personal.",
    ),
    Promise(
        "COLLECT-2",
        _("There are five kinds of data."),
        "privacy.declarations.categories.Category is the one list; keys, pages and copies are made from it.",
    ),
    Promise(
        "COLLECT-3",
        _("We collect with your permission, and nothing behind your back."),
        "privacy.access.gate refuses to write a personal value unless an open purpose covers it and its ground holds; "
        "privacy.access.forms.StrictForm refuses fields that were not asked for; marketplace.settings lets no page "
        "load anything from another host.",
    ),
    Promise(
        "COLLECT-4",
        _("We use data only for the uses in the published table."),
        "privacy.declarations.purposes.PURPOSES is the closed list, and privacy.access.gate.open_access opens only "
        "the categories that it allows.",
    ),
    Promise(
        "COLLECT-5",
        _("We do not use data for unrelated advertising, trade or unapproved passing on."),
        "privacy.declarations.purposes.Purpose has no name for these, so nothing can be opened, mailed or disclosed for them.",
    ),
    Promise(
        "COLLECT-6",
        _("We ask for no more than the purchase at hand needs."),
        "orders.checkout.addresses asks only for the fields of the country's own address format.",
    ),
    Promise(
        "PROTECT-1",
        _("All personal data is stored encrypted."),
        "privacy.vault.fields.SealedField stores AES-256-GCM tokens under the person's own keys alone, which "
        "privacy.vault.keyrings wraps under keys that stand in no database.",
    ),
    Promise(
        "PROTECT-2",
        _("Keys are kept apart, programs may do only what they must, and traffic is encrypted."),
        "privacy.vault.router keeps keys in a database of their own; privacy.vault.grants gives the runtime roles "
        "rights by table and no ownership; marketplace.environment refuses unencrypted connections to other hosts.",
    ),
    Promise(
        "PROTECT-3",
        _("Rules say what each role may see, and every look by staff has a reason."),
        "privacy.policy.matrix.MATRIX decides what a role may open; privacy.access.gate demands a reason of staff and "
        "keeps it, sealed, in privacy.access.models.Opening.",
    ),
    Promise(
        "PROTECT-4",
        _("Details show as masks until they are opened."),
        "privacy.vault.sealed.Sealed prints as its mask wherever it stands; only privacy.access.gate.Grant gives the value.",
    ),
    Promise("PROTECT-5", _("We assess our protection regularly and repair what we find."), None),
    Promise("PROTECT-6", _("We measure ourselves against recognized security standards."), None),
    Promise(
        "USE-1",
        _("Whether a use is allowed is checked each time."),
        "privacy.access.gate.open_access checks role, policy in force and ground at every opening.",
    ),
    Promise(
        "USE-2",
        _("Each use opens as little as possible, for as short as possible."),
        "privacy.access.gate.Grant opens its purpose's categories, for its person where it names one, and nothing "
        "after its block has ended.",
    ),
    Promise(
        "USE-3",
        _("Every use is written in a log that nobody can change unnoticed."),
        "audit.record writes in the transaction of what it records; audit.actions.verify_log finds whatever was "
        "changed, removed or inserted since.",
    ),
    Promise(
        "USE-4",
        _("Nobody outside gets data without approval, except to handle, ship or charge an order."),
        "privacy.sharing.actions.disclose is the one way out and refuses without recipient, agreement, cover or approval.",
    ),
    Promise(
        "USE-5",
        _("Partners have signed agreements."),
        "privacy.sharing.queries.agreements_in_force finds no agreement that has lapsed, and without one "
        "privacy.sharing.actions.disclose refuses.",
    ),
    Promise(
        "USE-6",
        _("Partners get what one parcel needs, and are told of corrections and deletions."),
        "privacy.sharing.models.Disclosure lists what each recipient received; privacy.sharing.actions.tell_holders "
        "opens a follow-up with each of them.",
    ),
    Promise(
        "RIGHTS-1",
        _("You can see everything we hold about you, and take a copy."),
        "privacy.retention.walker walks every declaration for the data page and the copy alike; privacy.rights.copies makes the copy.",
    ),
    Promise(
        "RIGHTS-2",
        _("You can correct your data."),
        "privacy.rights.actions.correct_record corrects a person's own record at once and tells those who received it.",
    ),
    Promise(
        "RIGHTS-3",
        _("You can have your data deleted."),
        "privacy.rights.steps destroys the keys, then the rows, searches for leftovers and issues a receipt.",
    ),
    Promise(
        "RIGHTS-4",
        _("You can take back a permission as easily as you gave it."),
        "privacy.consent.actions.withdraw_consent enters it, and privacy.access.gate reads the ledger at every opening.",
    ),
    Promise("RIGHTS-5", _("You can complain and get an answer."), None),
    Promise(
        "RIGHTS-6",
        _("You reach your details and purchases without anybody's help."),
        "privacy.rights.urls and orders.urls serve each page to the person it belongs to, without staff.",
    ),
    Promise(
        "RIGHTS-7",
        _("Corrections are done in a fixed time."),
        "privacy.rights.clocks.answer_due gives each request the day by which it must be answered.",
    ),
    Promise(
        "RIGHTS-8",
        _("What a law makes us keep has a named law and a last day."),
        "privacy.declarations.lifetimes.Floor names the law, and its lifetime the end; privacy.retention.checks refuses a "
        "floor without a key of its own, and privacy.rights.steps.end_kept_records destroys that key when it is over.",
    ),
    Promise("RIGHTS-9", _("A suspected misuse is looked into and answered in a fixed time."), None),
    Promise("RIGHTS-10", _("The rights are open to everybody, everywhere."), None),
    Promise(
        "CHANGE-1",
        _("A new policy counts only after it was announced."),
        "privacy.policy.actions.publish_policy and a constraint on privacy.policy.models.PolicyVersion refuse a later "
        "version without its notice period.",
    ),
    Promise(
        "CHANGE-2",
        _("Until a new policy counts, the old one protects you."),
        "privacy.policy.queries.policy_in_force knows only versions whose day has come, and privacy.access.gate opens "
        "no purpose that it does not name.",
    ),
    Promise(
        "CHANGE-3",
        _("What has expired is deleted; the record of purchases stays without the person."),
        "privacy.retention.actions.purge_expired deletes every record whose declared lifetime is over, on a schedule.",
    ),
    Promise(
        "CHANGE-4",
        _("Upkeep never disturbs accounts or purchases under way."),
        "privacy.retention.actions.purge_expired works in batches that skip locked and held rows, and "
        "privacy.retention.registry compares the books before and after.",
    ),
    Promise(
        "CHANGE-5",
        _("Every version of the policy can be read by anybody."),
        "privacy.policy.views shows every announced version to whoever asks; privacy.policy.models.PolicyText is append-only.",
    ),
)

PROMISES: dict[str, Promise] = {promise.id: promise for promise in _PROMISES}

_sources: dict[str, list[EvidenceSource]] = {}


def register_evidence(promise_id: str, source: EvidenceSource) -> None:
    """A room's answer to "does this promise hold now?": cheap, numbers only. Several rooms may answer for one.

    Raises UnknownPromise.
    """
    if promise_id not in PROMISES:
        raise UnknownPromise(promise_id)
    sources = _sources.setdefault(promise_id, [])
    if source not in sources:
        sources.append(source)


def has_evidence(promise_id: str) -> bool:
    """Whether any room answers for it."""
    return bool(_sources.get(promise_id))


def evidence_of(promise_id: str) -> list[Evidence]:
    """What each room says now. A room that cannot answer counts against the promise."""
    return [_ask(source) for source in _sources.get(promise_id, [])]


def _ask(source: EvidenceSource) -> Evidence:
    try:
        with transaction.atomic():
            return source()
    except (DatabaseError, PolicyError, VaultError) as error:
        return Evidence(False, gettext("The evidence cannot be read (%(error)s).") % {"error": type(error).__name__})


def counted(rows: models.QuerySet[models.Model]) -> str:
    """How many rows, counted up to COUNTED_AT_MOST so that the question stays cheap however many there are."""
    number = rows.order_by()[: COUNTED_AT_MOST + 1].count()
    return str(number) if number <= COUNTED_AT_MOST else f"{COUNTED_AT_MOST}+"
