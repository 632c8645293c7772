"""What accounts tell the rooms below them when the site starts."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from audit.record import Reference
from marketplace.accounts.actions import (
    close_account,
    close_unconfirmed_accounts,
    forget_answered_resets,
    forget_expired_tokens,
    forget_unfinished_factors,
    forget_unproven_changes,
    search_account,
)
from marketplace.accounts.actions.searching import SEARCHERS
from marketplace.accounts.approving import register_approving
from marketplace.accounts.errors import TooManySearches
from marketplace.accounts.mail import declare_mails
from marketplace.accounts.models import AccountDetails, User
from marketplace.accounts.queries import details_of_subject, details_of_subjects, office_for
from marketplace.accounts.sessions import forget_ended_sessions
from marketplace.accounts.tokens import forget_old_tokens
from privacy.access.oversight.models import ReadTrait
from privacy.access.oversight.names import register_names
from privacy.access.oversight.traits import register_trait
from privacy.alerts.models import Alert
from privacy.alerts.office import register_office
from privacy.complaints.people import register_account
from privacy.log_search.people import MailboxSearch, register_mailbox_search
from privacy.mail.actions import queue_mail
from privacy.policy.roles import Actor, Role
from privacy.publication.queries import register_audience
from privacy.retention.registry import register_cleanup
from privacy.rights.erasure import register_step
from privacy.vault.models import Subject


def register_all() -> None:
    declare_mails()
    register_approving()
    register_account(details_of_subject)
    register_office(tell_office_by_mail)
    register_names(details_of_subjects)
    register_trait(AccountDetails, "name", ReadTrait.Kind.NAME)
    register_audience(live_customers)
    register_mailbox_search(MailboxSearch(find_person, SEARCHERS, (TooManySearches,)))
    register_step("account", close_erased_account)
    register_cleanup("unconfirmed accounts", close_unconfirmed_accounts)
    register_cleanup("sessions", forget_ended_sessions)
    register_cleanup("mailed links", forget_old_tokens)
    register_cleanup("password resets", forget_answered_resets)
    register_cleanup("tokens for programs", forget_expired_tokens)
    register_cleanup("unproven mailboxes", forget_unproven_changes)
    register_cleanup("unfinished second factors", forget_unfinished_factors)


def live_customers() -> QuerySet[User, tuple[UUID, str]]:
    """Whom a change of the policy concerns: customers with an open account and a proven mailbox, with their language."""
    live = User.objects.filter(role=Role.CUSTOMER, is_active=True, closed_at=None, confirmed_at__isnull=False)
    return live.values_list("subject_id", "locale")


def find_person(by: Actor, email: str) -> UUID | None:
    user = search_account(by=by, email=email)
    return user.subject_id if user else None


def tell_office_by_mail(alert: Alert) -> None:
    """One mail an alert to each, however often a worker tries."""
    for user in office_for(alert):
        queue_mail(template="accounts-alert", subject=user.subject_id, object=Reference.to(alert), locale=user.locale)


def close_erased_account(subject: Subject) -> None:
    """The step of an erasure that signs the person out and makes the account unusable."""
    close_account(by=Actor.job("erasure"), subject=subject)
