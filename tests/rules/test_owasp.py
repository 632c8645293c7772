"""Each event has its words of the OWASP logging vocabulary, or deliberately none; the published schema knows the same words."""

import json
import re

import pytest

from audit.events import Event
from audit.owasp import SAID, WORDS, Word
from tests.settings import ROOT

VOCABULARY = [
    "authn_login_success",
    "authn_login_successafterfail",
    "authn_login_fail",
    "authn_login_fail_max",
    "authn_login_lock",
    "authn_password_change",
    "authn_password_change_fail",
    "authn_impossible_travel",
    "authn_token_created",
    "authn_token_revoked",
    "authn_token_reuse",
    "authn_token_delete",
    "authz_fail",
    "authz_change",
    "authz_admin",
    "privilege_permissions_changed",
    "crypt_encrypt_fail",
    "crypt_decrypt_fail",
    "excess_rate_limit_exceeded",
    "excess_sessions_exceeded",
    "upload_complete",
    "upload_stored",
    "upload_validation",
    "upload_delete",
    "input_validation_fail",
    "input_validation_discrete_fail",
    "malicious_excess_404",
    "malicious_extraneous",
    "malicious_attack_tool",
    "malicious_sqli",
    "malicious_cors",
    "malicious_direct_reference",
    "malicious_csrf",
    "malicious_csp_violation",
    "sensitive_create",
    "sensitive_read",
    "sensitive_update",
    "sensitive_delete",
    "sequence_fail",
    "session_created",
    "session_renewed",
    "session_expired",
    "session_logout",
    "session_use_after_expire",
    "sys_startup",
    "sys_shutdown",
    "sys_restart",
    "sys_crash",
    "sys_monitor_disabled",
    "sys_monitor_enabled",
    "user_created",
    "user_updated",
    "user_archived",
    "user_deleted",
]
"""As published, copied by hand: https://cheatsheetseries.owasp.org/cheatsheets/Logging_Vocabulary_Cheat_Sheet.html"""

pytestmark = pytest.mark.promise("PROTECT-2")


def test_every_event_has_its_words_or_deliberately_none():
    assert sorted(set(Event) - set(WORDS)) == [], "give each of these its line in audit/owasp.py"


def test_the_words_are_those_of_the_vocabulary():
    assert sorted(Word) == sorted(VOCABULARY)


def test_every_word_in_use_says_something_and_no_other_does():
    assert {word for words in WORDS.values() for word in words} == set(SAID)


def test_refusals_and_openings_have_words():
    silent = [event for event in Event if re.search(r"\.(refused|opened|destroyed|erased)$", event) and not WORDS[event]]

    assert set(silent) <= {Event.TICKET_OPENED, Event.PAYMENT_REFUSED, Event.PROPOSAL_REFUSED, Event.EPOCH_DESTROYED}


def test_the_schema_names_the_same_words():
    schema = json.loads((ROOT / "docs" / "security-log.schema.json").read_text())

    named = re.match(r"\^\(([a-z0-9_|]+)\):", schema["properties"]["event"]["pattern"])

    assert named is not None
    assert named[1].split("|") == list(Word)
