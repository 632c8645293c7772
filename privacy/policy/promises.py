"""The published promises as data: what enforces each, and where its live evidence comes from (all ids)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from privacy.policy.errors import UnknownPromise

logger = logging.getLogger(__name__)

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
    """One promise.

    ``control`` is the sentence that says which code enforces it, None while none does; ``how`` says the same to
    people. ``missing`` is what is not built yet: while it stands, the promise does not count as kept.
    """

    id: str
    title: LazyText
    control: str | None
    how: LazyText | str = ""
    missing: LazyText | str = ""

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
        control="privacy.declarations.registry.check_declarations, asked at every start, refuses a field that is neither personal() nor "
        "explained as not personal.",
        how=_(
            "Each field in our databases is declared: personal or not, what for, and how long. The shop does not start"
            " with a field that is not."
        ),
    ),
    Promise(
        "COLLECT-2",
        _("There are five kinds of data."),
        control="privacy.declarations.categories.Category is the one list; keys, pages and copies are made from it.",
        how=_("Every personal field belongs to exactly one of five kinds. Your pages, your copy and your keys follow the same five."),
    ),
    Promise(
        "COLLECT-3",
        _("We collect with your permission, and nothing behind your back."),
        control="privacy.access.gate refuses to write a personal value unless an open purpose covers it and its ground holds; "
        "privacy.access.forms.StrictForm refuses fields that were not asked for; marketplace.settings lets no page "
        "load anything from another host.",
        how=_(
            "Nothing about you can be written unless a use is open that you allowed. Forms refuse what they did not "
            "ask for, and no page loads anything from another company."
        ),
    ),
    Promise(
        "COLLECT-4",
        _("We use data only for the uses in the published table."),
        control="privacy.declarations.purposes.PURPOSES is the closed list, and privacy.access.gate.open_access opens only "
        "the categories that it allows.",
        how=_(
            "The uses are a closed list in the program. Opening one of your details needs one of them, and only for "
            "the kinds of data that it covers."
        ),
    ),
    Promise(
        "COLLECT-5",
        _("We do not use data for unrelated advertising, trade or unapproved passing on."),
        control="privacy.declarations.purposes.Purpose has no name for these, so nothing can be opened, mailed or disclosed for them; "
        "privacy.access.approvals lets no export or mass act happen that one person alone decided.",
        how=_("The program has no use called advertising or sale. What has no name cannot be opened, mailed or passed on."),
    ),
    Promise(
        "COLLECT-6",
        _("We ask for no more than the purchase at hand needs."),
        control="orders.checkout.addresses asks only for the fields of the country's own address format.",
        how=_("The address form shows only the lines that the post in your country needs."),
    ),
    Promise(
        "PROTECT-1",
        _("All personal data is stored encrypted."),
        control="privacy.vault.fields.SealedField stores AES-256-GCM tokens under the person's own keys alone, which "
        "privacy.vault.keyrings wraps under keys that stand in no database.",
        how=_("Each detail is sealed under a key of yours alone, and that key is locked with another that lies in no database."),
    ),
    Promise(
        "PROTECT-2",
        _("Keys are kept apart, programs may do only what they must, and traffic is encrypted."),
        control="privacy.vault.router keeps keys in a database of their own; privacy.vault.grants gives the runtime roles "
        "rights by table and no ownership; marketplace.environment refuses unencrypted connections to other hosts.",
        how=_(
            "Keys lie in a database of their own. Each of our programs may touch only what its work needs, and "
            "connections that are not encrypted are refused."
        ),
    ),
    Promise(
        "PROTECT-3",
        _("Rules say what each role may see, and every look by staff has a reason."),
        control="privacy.policy.matrix.MATRIX decides what a role may open; privacy.access.gate demands a reason of staff and "
        "keeps it, sealed, in privacy.access.models.Opening, and by privacy.access.cases a case that is theirs and open; what "
        "privacy.access.break_glass lets few open without one is alerted, reviewed and told; "
        "privacy.access.oversight limits how many people a member of staff opens within an hour, and has a sample of their "
        "looks reviewed.",
        how=_(
            "A table says which role may open what. Staff must give a use and a reason, and you can read both. They open "
            "only what belongs to an order, message or request that is theirs to work on; in an emergency few may look "
            "without one, and then we tell you. How many people they open within an hour is limited, and somebody else "
            "checks a part of what they opened."
        ),
    ),
    Promise(
        "PROTECT-4",
        _("Details show as masks until they are opened."),
        control="privacy.vault.sealed.Sealed prints as its mask wherever it stands; only privacy.access.gate.Grant gives the value.",
        how=_("A sealed detail shows as a mask wherever it appears, until somebody opens it under a named use."),
    ),
    Promise(
        "PROTECT-5",
        _("We assess our protection regularly and repair what we find."),
        control=None,
        missing=_(
            "There is no regular assessment whose results are kept and shown yet. What is checked today: at each "
            "start, that the settings are safe."
        ),
    ),
    Promise(
        "PROTECT-6",
        _("We measure ourselves against recognized security standards."),
        control=None,
        missing=_(
            "We have not yet listed, requirement by requirement, how the shop meets the OWASP standard for web applications (ASVS 5.0)."
        ),
    ),
    Promise(
        "USE-1",
        _("Whether a use is allowed is checked each time."),
        control="privacy.access.gate.open_access checks role, policy in force and ground at every opening.",
        how=_("At every single opening the program checks the role, the policy in force and your permission."),
    ),
    Promise(
        "USE-2",
        _("Each use opens as little as possible, for as short as possible."),
        control="privacy.access.gate.Grant opens its purpose's categories, for its person where it names one, and nothing "
        "after its block has ended.",
        how=_("An opening covers one use and, where there is one, one person. It ends with the page or the job."),
    ),
    Promise(
        "USE-3",
        _("Every use is written in a log that nobody can change unnoticed."),
        control="audit.record writes in the transaction of what it records; audit.actions.verify_log finds whatever was "
        "changed, removed or inserted since.",
        how=_(
            "Each opening, change and refusal is entered in a log before you or we see anything. The log is sealed "
            "again and again and checked every hour, so that a changed entry is found."
        ),
    ),
    Promise(
        "USE-4",
        _("Nobody outside gets data without approval, except to handle, ship or charge an order."),
        control="privacy.sharing.actions.disclose is the one way out and refuses without recipient, agreement, cover or approval.",
        how=_(
            "There is one way out. It refuses a recipient without an agreement, and asks for your approval unless it "
            "is about handling, shipping or paying an order."
        ),
    ),
    Promise(
        "USE-5",
        _("Partners have signed agreements."),
        control="privacy.sharing.queries.agreements_in_force finds no agreement that has lapsed, and without one "
        "privacy.sharing.actions.disclose refuses.",
        how=_("Each partner stands in a register with its agreement and its dates. Once the agreement has ended, nothing more goes there."),
    ),
    Promise(
        "USE-6",
        _("Partners get what one parcel needs, and are told of corrections and deletions."),
        control="privacy.sharing.models.Disclosure lists what each recipient received; privacy.sharing.actions.tell_holders "
        "opens a follow-up with each of them.",
        how=_(
            "Partners get the fields of one parcel or payment. What they got is listed for you, and corrections and "
            "deletions are passed on until they confirm."
        ),
    ),
    Promise(
        "RIGHTS-1",
        _("You can see everything we hold about you, and take a copy."),
        control="privacy.retention.walker walks every declaration for the data page and the copy alike; "
        "privacy.rights.copies makes the copy.",
        how=_("The page “My data” and your copy are made from the same list of everything stored, so that nothing can be left out."),
    ),
    Promise(
        "RIGHTS-2",
        _("You can correct your data."),
        control="privacy.rights.actions.correct_record corrects a person's own record at once and tells those who received it.",
        how=_("You correct your own details yourself. What others received of them is corrected there too."),
    ),
    Promise(
        "RIGHTS-3",
        _("You can have your data deleted."),
        control="privacy.rights.steps destroys the keys, then the rows, searches for leftovers and issues a receipt.",
        how=_(
            "You see first what goes and what the law keeps. Then the keys are destroyed, then the rows, then we "
            "search for leftovers, and you get a receipt."
        ),
    ),
    Promise(
        "RIGHTS-4",
        _("You can take back a permission as easily as you gave it."),
        control="privacy.consent.actions.withdraw_consent enters it, and privacy.access.gate reads the ledger at every opening.",
        how=_("One click, as with giving it. The next opening already finds the permission gone."),
    ),
    Promise(
        "RIGHTS-5",
        _("You can complain and get an answer."),
        control="privacy.rights.clocks gives each message its due day; privacy.complaints.actions resolves one only with an "
        "outcome and an answer.",
        how=_(
            "A form for everybody, with or without an account. Each message has a day by which we answer, and ends "
            "with an outcome in words."
        ),
    ),
    Promise(
        "RIGHTS-6",
        _("You reach your details and purchases without anybody's help."),
        control="privacy.rights.urls and orders.urls serve each page to the person it belongs to, without staff.",
        how=_(
            "Your details, orders, permissions, requests and who looked at them are on pages of your own. No staff is "
            "needed for any of them."
        ),
    ),
    Promise(
        "RIGHTS-7",
        _("Corrections are done in a fixed time."),
        control="privacy.rights.clocks.answer_due gives each request the day by which it must be answered.",
        how=_(
            "Each request gets a last day when it is made. Before that day staff are reminded; after it the request "
            "stands at the top of their page."
        ),
    ),
    Promise(
        "RIGHTS-8",
        _("What a law makes us keep has a named law and a last day."),
        control="privacy.declarations.lifetimes.Floor names the law, and its lifetime the end; privacy.retention.checks refuses a "
        "floor without a key of its own, and privacy.rights.steps.end_kept_records destroys that key when it is over.",
        how=_("What must be kept has its law and its last day written beside it. On that day it goes by itself."),
    ),
    Promise(
        "RIGHTS-9",
        _("A suspected misuse is looked into and answered in a fixed time."),
        control="privacy.complaints.actions.open_ticket ties a suspicion to the log entries about that very person; only a privacy "
        "officer who is not concerned answers it, and its clock stands still for nothing.",
        how=_("A message about misuse brings up the log about the person, has to be answered in a set time, and ends with its outcome."),
    ),
    Promise(
        "RIGHTS-10",
        _("The rights are open to everybody, everywhere."),
        control="marketplace.settings.LANGUAGES names the languages; privacy.access.guests lets people in who proved a mailbox and "
        "have no account.",
        how=_(
            "Several languages, one written from right to left. Pages work without scripts, with a keyboard and with a"
            " screen reader, and for people without an account."
        ),
    ),
    Promise(
        "CHANGE-1",
        _("A new policy counts only after it was announced."),
        control="privacy.policy.actions.publish_policy and a constraint on privacy.policy.models.PolicyVersion refuse a later "
        "version without its notice period.",
        how=_("A new version cannot count before it was announced for 30 days: the database itself refuses it."),
    ),
    Promise(
        "CHANGE-2",
        _("Until a new policy counts, the old one protects you."),
        control="privacy.policy.queries.policy_in_force knows only versions whose day has come, and privacy.access.gate opens "
        "no purpose that it does not name.",
        how=_(
            "The clock decides which version counts. A use that a new version adds stays closed until that day, and "
            "needs a new permission from you."
        ),
    ),
    Promise(
        "CHANGE-3",
        _("What has expired is deleted; the record of purchases stays without the person."),
        control="privacy.retention.actions.purge_expired deletes every record whose declared lifetime is over, on a schedule.",
        how=_("Each record has a declared end. A job looks every day and deletes what has reached it."),
    ),
    Promise(
        "CHANGE-4",
        _("Upkeep never disturbs accounts or purchases under way."),
        control="privacy.retention.actions.purge_expired works in batches that skip locked and held rows, and "
        "privacy.retention.registry compares the books before and after.",
        how=_("Deleting happens in small steps that leave alone whatever is in use, and money and stock are compared before and after."),
    ),
    Promise(
        "CHANGE-5",
        _("Every version of the policy can be read by anybody."),
        control="privacy.policy.views shows every announced version to whoever asks; privacy.policy.models.PolicyText is append-only.",
        how=_("Every version is a row that nobody can change, on a page that anybody can open."),
    ),
)

PROMISES: dict[str, Promise] = {promise.id: promise for promise in _PROMISES}

_sources: dict[str, dict[EvidenceSource, timedelta | None]] = {}


def register_evidence(promise_id: str, source: EvidenceSource, fresh_for: timedelta | None = None) -> None:
    """A room's answer to "does this promise hold now?": cheap, numbers only. Several rooms may answer for one.

    Evidence established longer ago than ``fresh_for`` counts against the promise, whatever it says. Raises
    UnknownPromise.
    """
    if promise_id not in PROMISES:
        raise UnknownPromise(promise_id)
    _sources.setdefault(promise_id, {}).setdefault(source, fresh_for)


def has_evidence(promise_id: str) -> bool:
    """Whether any room answers for it."""
    return bool(_sources.get(promise_id))


def evidence_of(promise_id: str) -> list[Evidence]:
    """What each room says now. A room that cannot answer, or whose answer is too old, counts against the promise."""
    return [_fresh(_ask(source), fresh_for) for source, fresh_for in _sources.get(promise_id, {}).items()]


def _ask(source: EvidenceSource) -> Evidence:
    try:
        with transaction.atomic():
            return source()
    except Exception as error:  # whatever a room runs into, the other promises still show, and this one shows red
        logger.warning("evidence %s: %s", source.__name__, type(error).__name__)
        return Evidence(False, gettext("This could not be checked just now (%(error)s).") % {"error": type(error).__name__})


def _fresh(evidence: Evidence, fresh_for: timedelta | None) -> Evidence:
    if fresh_for is None or evidence.at is None or timezone.now() - evidence.at <= fresh_for:
        return evidence
    late = gettext("This is older than it may be: it is done at least every %(span)s.") % {"span": _span(fresh_for)}
    return replace(evidence, ok=False, text=f"{evidence.text} {late}")


def _span(length: timedelta) -> str:
    hours = int(length.total_seconds() // 3600)
    if hours % 24:
        return ngettext("%(number)d hour", "%(number)d hours", hours) % {"number": hours}
    return ngettext("%(number)d day", "%(number)d days", hours // 24) % {"number": hours // 24}


def counted(rows: models.QuerySet[models.Model]) -> str:
    """How many rows, counted up to COUNTED_AT_MOST so that the question stays cheap however many there are."""
    number = rows.order_by()[: COUNTED_AT_MOST + 1].count()
    return str(number) if number <= COUNTED_AT_MOST else f"{COUNTED_AT_MOST}+"
