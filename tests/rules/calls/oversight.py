"""What is done about use: openings, alerts, acts of two people, the policy, keys and the log itself."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from audit.actions import verify_log
from audit.events import Event
from audit.models import Entry
from marketplace.demo.operator import name_demo_operator
from orders.lifecycle.mass import CONFIRM_ORDERS
from privacy.access.approvals.actions import (
    approve_proposal,
    expire_proposals,
    give_up_proposal,
    perform_proposal,
    propose,
    refuse_proposal,
    withdraw_proposal,
)
from privacy.access.approvals.kinds import fingerprint_of, kind_named
from privacy.access.approvals.mass import act_on_few, plan_act
from privacy.access.approvals.models import Proposal
from privacy.access.break_glass import release_notice
from privacy.access.gate import open_access
from privacy.access.models import Opening
from privacy.access.overrides.actions import end_override, override_matrix
from privacy.access.overrides.models import MatrixOverride
from privacy.access.oversight.actions import close_openings, confirm_need, decide_review, lift_closure
from privacy.access.oversight.drawing import draw_emergencies, draw_questioned, draw_sample
from privacy.access.oversight.models import Review
from privacy.access.oversight.traits import note_trait
from privacy.access.registrations import MATRIX_OVERRIDE
from privacy.access.silences.actions import begin_silence, release_silence
from privacy.access.silences.models import Silence
from privacy.access.silences.registrations import SILENCE
from privacy.alerts.actions import close_alert, raise_alert
from privacy.alerts.key_change_watch import SETTLES, watch_key_changes
from privacy.alerts.models import Alert, AlertKind
from privacy.declarations.categories import Scope
from privacy.declarations.purposes import Purpose
from privacy.log_search.actions import drop_search, keep_search, read_entry, search_log
from privacy.log_search.searches import LogSearch
from privacy.policy import actions as policy
from privacy.policy.actions import change_operator, fingerprint, publish_policy
from privacy.policy.models import NOTICE_PERIOD, OperatorIdentity, PolicyVersion
from privacy.policy.roles import Actor, Role
from privacy.publication import actions as publication
from privacy.publication.actions import announce_draft, change_words, choose_purposes, discard_draft, start_draft, whole_fingerprint
from privacy.publication.models import PolicyDraft
from privacy.retention.holds import place_hold, release_hold
from privacy.retention.models import Hold
from privacy.retention.registrations import HOLD_RELEASE
from privacy.staff_exports.actions import (
    delete_exports_about,
    download_export,
    expire_exports,
    make_export,
    note_extracted,
    start_export,
    write_people,
)
from privacy.staff_exports.models import StaffExport
from privacy.staff_exports.registrations import STAFF_EXPORT
from privacy.vault import epochs, keyrings, rotation
from privacy.vault.identifiers import uuid7
from privacy.vault.models import Subject, SubjectKey
from tests.orders import factories
from tests.rules import canaries
from tests.rules.calls.people import TEST, actor, customer, done, order, staff
from tests.rules.calls.table import Keeps, call

REASON = canaries.WORDS
OFFICER, SUPPORT = Role.PRIVACY_OFFICER, Role.SUPPORT
ASKED = {"role": "finance", "purpose": "returns", "categories": ["delivery"], "days": 1}


# Openings


def look(by: Actor, placed, **how: object) -> Opening:
    """Somebody of ours opens a name of this order."""

    def act() -> None:
        with open_access(by=by, purpose=Purpose.ORDER, subject=placed.subject, reason=REASON, case=placed, **how) as grant:
            grant.open(placed.contacts.get().name)

    done(act)
    return Opening.objects.latest("opened_at")


@call(open_access, note_trait, writes=[Event.TRAIT_NOTED, Event.DATA_OPENED])
def a_name():
    placed, by = order(factories.received), actor(SUPPORT)

    def act() -> None:
        with open_access(by=by, purpose=Purpose.ORDER, subject=placed.subject, reason=REASON, case=placed) as grant:
            grant.open(placed.contacts.get().name)

    return act


@call(open_access, writes=[Event.TRAIT_NOTED, Event.ALERT_RAISED, Event.MESSAGE_QUEUED, Event.DATA_OPENED])
def in_an_emergency():
    user, by = customer(), actor(Role.SECURITY)

    def act() -> None:
        with open_access(by=by, purpose=Purpose.SECURITY, subject=user.subject, reason=REASON, break_glass=True) as grant:
            grant.open(user.details.name)

    return act


def emergency(**how: object) -> Opening:
    user, by = customer(), actor(Role.SECURITY)

    def act() -> None:
        with open_access(by=by, purpose=Purpose.SECURITY, subject=user.subject, reason=REASON, break_glass=True, **how) as grant:
            grant.open(user.details.name)

    done(act)
    return Opening.objects.latest("opened_at")


@call(release_notice, writes=[Event.NOTICE_RELEASED, Event.MESSAGE_QUEUED])
def of_a_silent_look():
    opening = emergency(is_silent=True)
    by = actor(OFFICER)
    return lambda: release_notice(by=by, opening=opening)


@call(confirm_need, writes=[Event.OPENINGS_CONFIRMED])
def of_more():
    by = actor(SUPPORT)
    return lambda: confirm_need(by=by)


@call(close_openings, writes=[Event.OPENINGS_CLOSED, Event.ALERT_RAISED])
def beyond_the_limit():
    return lambda: close_openings(actor_id=uuid7(), role=SUPPORT, people=61)


@call(lift_closure, writes=[Event.OPENINGS_LIFTED])
def by_the_officer():
    closure = done(lambda: close_openings(actor_id=uuid7(), role=SUPPORT, people=61))
    by = actor(OFFICER)
    return lambda: lift_closure(by=by, closure=closure)


@call(draw_sample, writes=[Event.REVIEW_DRAWN])
def by_lot():
    look(actor(SUPPORT), order(factories.received))
    return lambda: draw_sample(by=TEST)


@call(draw_emergencies, writes=[Event.REVIEW_DRAWN])
def every_one():
    emergency()
    return lambda: draw_emergencies(by=TEST)


@call(draw_questioned, writes=[Event.REVIEW_DRAWN])
def asked_by_the_person():
    opening, by = look(actor(SUPPORT), order(factories.received)), actor(OFFICER)
    return lambda: draw_questioned(by=by, opening=opening)


@call(decide_review, writes=[Event.REVIEW_DECIDED, Event.ALERT_RAISED])
def unjustified():
    look(actor(SUPPORT), order(factories.received))
    done(lambda: draw_sample(by=TEST))
    review = Review.objects.get()
    by = actor(OFFICER)
    return lambda: decide_review(by=by, review=review, outcome=Review.Outcome.UNJUSTIFIED, note="nothing to do with it")


@call(raise_alert, writes=[Event.ALERT_RAISED])
def about_a_person():
    user = customer()
    return lambda: raise_alert(kind=AlertKind.VOLUME, subject_id=user.subject_id, actor_id=uuid7(), role=SUPPORT)


@call(close_alert, writes=[Event.ALERT_CLOSED])
def looked_at():
    alert = done(lambda: raise_alert(kind=AlertKind.VOLUME, actor_id=uuid7(), role=SUPPORT))
    outcome = Alert.Outcome.values[0]
    by = actor(OFFICER)
    return lambda: close_alert(by=by, alert=alert, outcome=outcome, note="a busy day")


# Acts of two people


def proposal(kind: str = MATRIX_OVERRIDE, parameters: dict | None = None, role: Role = Role.ADMINISTRATOR) -> Proposal:
    by, asked = staff(role).actor, parameters or ASKED
    return done(lambda: propose(by=by, kind=kind, parameters=asked, why="the till is broken", id=uuid7()))


def seen(asked: Proposal) -> str:
    return done(lambda: fingerprint_of(asked.kind, asked.parameters, kind_named(asked.kind).describe(asked.parameters)))


def approved(*how: object, second: Role = OFFICER, **more: object) -> Proposal:
    asked, by = proposal(*how, **more), staff(second).actor
    shown = seen(asked)
    done(lambda: approve_proposal(by=by, proposal=asked, seen=shown))
    return Proposal.objects.get(pk=asked.pk)


@call(propose, writes=[Event.PROPOSAL_MADE])
def an_exception():
    by = staff(Role.ADMINISTRATOR).actor
    return lambda: propose(by=by, kind=MATRIX_OVERRIDE, parameters=ASKED, why="the till is broken", id=uuid7())


@call(approve_proposal, writes=[Event.PROPOSAL_APPROVED])
def by_a_second_person():
    asked, by = proposal(), staff(OFFICER).actor
    shown = seen(asked)
    return lambda: approve_proposal(by=by, proposal=asked, seen=shown)


@call(refuse_proposal, writes=[Event.PROPOSAL_REFUSED, Event.MESSAGE_QUEUED])
def with_words():
    asked, by = proposal(), staff(OFFICER).actor
    return lambda: refuse_proposal(by=by, proposal=asked, answer="it is not needed")


@call(withdraw_proposal, writes=[Event.PROPOSAL_WITHDRAWN])
def by_whoever_asked():
    asked = proposal()
    return lambda: withdraw_proposal(by=asked.proposer, proposal=asked)


@call(perform_proposal, override_matrix, writes=[Event.PROPOSAL_PERFORMED, Event.MESSAGE_QUEUED, Event.MATRIX_OVERRIDDEN])
def of_an_exception():
    asked = approved()
    return lambda: perform_proposal(proposal=asked)


@call(perform_proposal, writes=[Event.PROPOSAL_RETURNED, Event.MESSAGE_QUEUED])
def changed_since():
    asked = approved()
    staff(Role.FINANCE)
    return lambda: perform_proposal(proposal=asked)


@call(give_up_proposal, writes=[Event.PROPOSAL_FAILED, Event.MESSAGE_QUEUED])
def after_the_last_attempt():
    asked = approved()
    return lambda: give_up_proposal(proposal=asked)


@call(expire_proposals, writes=[Event.PROPOSAL_EXPIRED, Event.MESSAGE_QUEUED])
def undecided():
    asked = proposal()
    Proposal.objects.filter(pk=asked.pk).update(expires_at=timezone.now())
    return lambda: expire_proposals()


@call(end_override, writes=[Event.MATRIX_RESTORED])
def early():
    perform_proposal(proposal=approved())
    override = MatrixOverride.objects.get()
    by = actor(OFFICER)
    return lambda: end_override(by=by, override=override)


@call(perform_proposal, release_hold, writes=[Event.PROPOSAL_PERFORMED, Event.MESSAGE_QUEUED, Event.HOLD_RELEASED])
def of_a_release():
    user, until = customer(), timezone.now() + timedelta(days=30)
    hold = done(lambda: place_hold(by=actor(OFFICER), subject=user.subject, ground=Hold.Ground.CLAIMS, until=until))
    asked = approved(HOLD_RELEASE, {"hold": str(hold.pk)}, role=OFFICER)
    return lambda: perform_proposal(proposal=asked)


@call(act_on_few, writes=[Event.MESSAGE_QUEUED, Event.ORDER_CONFIRMED])
def orders_at_once():
    by, ids = actor(SUPPORT), [str(order(factories.received).pk)]
    shown = fingerprint_of(CONFIRM_ORDERS.name, {"ids": ids}, plan_act(CONFIRM_ORDERS, {"ids": ids}))
    return lambda: act_on_few(by=by, act=CONFIRM_ORDERS, ids=ids, seen=shown)


def silence_asked() -> Proposal:
    look(actor(SUPPORT), order(factories.received))
    seen = Entry.objects.filter(event=Event.DATA_OPENED, actor_role=SUPPORT).latest("id")
    until = (timezone.now() + timedelta(days=30)).isoformat()
    asked = {"entries": [str(seen.pk)], "until": until.replace("+00:00", "Z"), "ground": Silence.Ground.values[0]}
    return approved(SILENCE, asked, role=OFFICER, second=Role.ADMINISTRATOR)


@call(perform_proposal, begin_silence, writes=[Event.SILENCE_BEGUN, Event.PROPOSAL_PERFORMED, Event.MESSAGE_QUEUED])
def of_a_silence():
    asked = silence_asked()
    return lambda: perform_proposal(proposal=asked)


@call(release_silence, writes=[Event.SILENCE_RELEASED])
def before_its_end():
    perform_proposal(proposal=silence_asked())
    silence = Silence.objects.get()
    by = actor(OFFICER)
    return lambda: release_silence(by=by, silence=silence)


def export_asked() -> Proposal:
    about = {"cases": "orders.order", "ids": [str(order(factories.confirmed).pk)]}
    return approved(STAFF_EXPORT, about | {"purpose": "order", "categories": ["account"], "role": SUPPORT}, role=SUPPORT)


def export() -> StaffExport:
    perform_proposal(proposal=export_asked())
    return StaffExport.objects.latest("id")


def export_made() -> StaffExport:
    made = export()
    make_export(export=made)
    return StaffExport.objects.get(pk=made.pk)


@call(perform_proposal, start_export, writes=[Event.PROPOSAL_PERFORMED, Event.MESSAGE_QUEUED])
def of_an_export():
    asked = export_asked()
    return lambda: perform_proposal(proposal=asked)


@call(make_export, write_people, note_extracted, writes=[Event.DATA_EXTRACTED, Event.DATA_OPENED], keeps=Keeps.FILE_COMES_FIRST)
def by_a_job():
    asked = export()
    return lambda: make_export(export=StaffExport.objects.get(pk=asked.pk))


@call(download_export, writes=[Event.EXTRACT_DOWNLOADED])
def by_whoever_asked_for_it():
    made = export_made()
    return lambda: b"".join(download_export(by=made.proposal.proposer, export=made)[0])


@call(expire_exports, writes=[Event.EXTRACT_EXPIRED], keeps=Keeps.FILE_GOES_FIRST)
def after_a_day():
    made = export_made()
    StaffExport.objects.filter(pk=made.pk).update(expires_at=timezone.now())
    return lambda: expire_exports()


@call(delete_exports_about, writes=[Event.EXTRACT_EXPIRED], keeps=Keeps.FILE_GOES_FIRST)
def of_an_erased_person():
    about = Subject.objects.get(pk=export_made().subject_ids[0])
    return lambda: delete_exports_about(about)


# The policy


def in_time():
    return timezone.now() + NOTICE_PERIOD + timedelta(days=1)


def words_in_force() -> dict:
    version = PolicyVersion.objects.order_by("number").first()
    return {text.locale: {"title": text.title, "summary": text.summary, "sections": text.sections} for text in version.texts.all()}


def draft() -> PolicyDraft:
    return done(lambda: start_draft(by=actor(OFFICER)))


@call(publish_policy, writes=[Event.POLICY_PUBLISHED])
def second_version():
    words = words_in_force()
    return lambda: publish_policy(by=TEST, number=2, texts=words, purposes=list(Purpose), effective_at=in_time())


@call(start_draft, writes=[Event.POLICY_DRAFT_STARTED])
def of_the_next():
    by = actor(OFFICER)
    return lambda: start_draft(by=by)


@call(change_words, writes=[Event.POLICY_DRAFT_CHANGED])
def of_one_language():
    started = draft()
    shown = fingerprint(started.texts["en"])
    by = actor(OFFICER)
    return lambda: change_words(by=by, draft=started, locale="en", words=started.texts["en"] | {"title": "Anew"}, seen=shown)


@call(choose_purposes, writes=[Event.POLICY_DRAFT_CHANGED])
def fewer():
    started = draft()
    shown = fingerprint(started.purposes)
    by = actor(OFFICER)
    return lambda: choose_purposes(by=by, draft=started, purposes=[Purpose.ACCOUNT], seen=shown)


@call(discard_draft, writes=[Event.POLICY_DRAFT_DISCARDED])
def unfinished():
    started = draft()
    by = actor(OFFICER)
    return lambda: discard_draft(by=by, draft=started)


def announced() -> PolicyVersion:
    started, by = changed_draft(), actor(OFFICER)
    return done(lambda: announce_draft(by=by, draft=started, effective_at=in_time(), seen=whole_fingerprint(started)))


def changed_draft() -> PolicyDraft:
    started = draft()
    shown = fingerprint(started.purposes)
    kept = [purpose for purpose in Purpose if purpose != Purpose.IMPROVEMENT]
    done(lambda: choose_purposes(by=actor(OFFICER), draft=started, purposes=kept, seen=shown))
    return PolicyDraft.objects.get(pk=started.pk)


@call(announce_draft, writes=[Event.POLICY_PUBLISHED])
def to_everybody():
    started, by = changed_draft(), actor(OFFICER)
    return lambda: announce_draft(by=by, draft=started, effective_at=in_time(), seen=whole_fingerprint(started))


@call(publication.withdraw_announcement, policy.withdraw_announcement, writes=[Event.POLICY_WITHDRAWN])
def in_time_before_it_holds():
    version = announced()
    by = actor(OFFICER)
    return lambda: publication.withdraw_announcement(by=by, version=version)


@call(change_operator, writes=[Event.OPERATOR_CHANGED])
def renamed():
    name_demo_operator(by=TEST)
    number = OperatorIdentity.objects.latest("number").number
    by = actor(OFFICER)
    return lambda: change_operator(by=by, based_on=number, values={"name": "Another Operator"})


# Keys and the log


@call(rotation.rewrap_keys, writes=[Event.KEYS_REWRAPPED] * 2, keeps=Keeps.BEGUN_FIRST)
def under_a_new_version():
    customer()

    def act() -> None:
        with override_settings(KEY_ENCRYPTION_KEYS={**settings.KEY_ENCRYPTION_KEYS, 2: bytes(range(32))}):
            try:
                _forget_rings()
                rotation.rewrap_keys(by=TEST)
            finally:
                _forget_rings()

    return act


def _forget_rings() -> None:
    keyrings.key_ring.cache_clear()
    epochs.forget_secrets()


@call(rotation.advance_epoch, writes=[Event.KEYS_REWRAPPED] * 2, keeps=Keeps.BEGUN_FIRST)
def at_its_time():
    customer()
    return lambda: rotation.advance_epoch(by=TEST, now=timezone.now() + settings.EPOCH_LASTS + timedelta(hours=1))


@call(rotation.advance_epoch, writes=[Event.KEYS_REWRAPPED, Event.EPOCH_DESTROYED] * 2, keeps=Keeps.BEGUN_FIRST)
def after_its_time():
    customer()
    over = timezone.now() + settings.EPOCH_LASTS + timedelta(hours=1)
    rotation.advance_epoch(by=TEST, now=over)
    return lambda: rotation.advance_epoch(by=TEST, now=over + settings.EPOCH_KEPT + timedelta(hours=1))


@call(rotation.renew_keys, writes=[Event.KEYS_RENEWED, Event.DATA_RESEALED, Event.KEYS_RENEWED], keeps=Keeps.SEALED_ANEW)
def of_a_person():
    user = customer()
    return lambda: rotation.renew_keys([user.subject_id], by=TEST)


@call(watch_key_changes, writes=[Event.DATA_CHANGED_UNATTRIBUTED, Event.ALERT_RAISED])
def of_a_key_deleted_by_hand():
    SubjectKey.objects.filter(subject_id=customer().subject_id, scope=Scope.ACCOUNT).delete()
    return lambda: watch_key_changes(timezone.now() + 2 * SETTLES)


@call(search_log, writes=[Event.LOG_SEARCHED])
def of_a_person_again():
    search = LogSearch(person=customer().subject_id)
    by = actor(Role.AUDITOR)
    return lambda: search_log(by=by, search=search)


@call(read_entry, writes=[Event.LOG_ENTRY_READ])
def of_a_customer():
    entry = Entry.objects.filter(subject_id=customer().subject_id, event=Event.DATA_COLLECTED).latest("id")
    by = actor(Role.AUDITOR)
    return lambda: read_entry(by=by, entry=entry)


@call(keep_search, writes=[Event.LOG_SEARCH_KEPT])
def for_oneself():
    search, by = LogSearch(person=customer().subject_id), staff(Role.AUDITOR).actor
    return lambda: keep_search(by=by, search=search, name="refused last month")


@call(drop_search, writes=[Event.LOG_SEARCH_DROPPED])
def of_oneself():
    search, by = LogSearch(person=customer().subject_id), staff(Role.AUDITOR).actor
    kept = done(lambda: keep_search(by=by, search=search, name="refused last month"))
    return lambda: drop_search(by=by, id=kept.pk)


@call(verify_log, writes=[Event.LOG_VERIFIED])
def whole():
    return lambda: verify_log(by=TEST)
