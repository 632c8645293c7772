"""What the log says about the safety of an account, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.events import Event
from audit.models import Entry
from privacy.policy.roles import Role

SHOWN: Mapping[str, Promise] = {
    Event.SESSION_STARTED: _("Signed in"),
    Event.SESSION_ENDED: _("Signed out"),
    Event.SESSION_REFUSED: _("A sign-in with a wrong password was refused"),
    Event.ACCOUNT_LOCKED_OUT: _("Too many wrong passwords: sign-in was closed for 15 minutes"),
    Event.PASSWORD_CHANGED: _("The password was changed"),
    Event.SECOND_FACTOR_ENROLLED: _("The second step was turned on"),
    Event.SECOND_FACTOR_PASSED: _("The second step was passed"),
    Event.SECOND_FACTOR_REFUSED: _("A wrong code was refused"),
    Event.SECOND_FACTOR_REMOVED: _("The second step was turned off"),
    Event.SECOND_FACTOR_RESET: _("The second step was reset"),
    Event.RECOVERY_CODES_ISSUED: _("New recovery codes were made"),
    Event.RECOVERY_CODE_USED: _("A recovery code was used"),
    Event.MAILBOX_CHANGE_REQUESTED: _("Another email address was asked for"),
    Event.MAILBOX_CHANGE_CANCELED: _("The change of the email address was called off"),
    Event.MAILBOX_CONFIRMED: _("The email address was confirmed"),
    Event.API_TOKEN_MADE: _("A token for programs was made"),
    Event.API_TOKEN_ENDED: _("A token for programs was ended"),
    Event.STAFF_JOINED: _("The invitation was accepted"),
    Event.STAFF_APPOINTED: _("The role was given"),
}


@dataclass(frozen=True)
class SecurityEvent:
    """One line of the list: when, what, and by whom when it was not the person or somebody unknown."""

    at: datetime
    what: Promise | str
    by_staff: Promise | str


def in_words(entry: Entry) -> SecurityEvent:
    is_other = entry.actor_id is not None and entry.actor_id != entry.subject_id and entry.actor_role in Role
    return SecurityEvent(at=entry.at, what=SHOWN[entry.event], by_staff=Role(entry.actor_role).label if is_other else "")
