"""Each event has its words of the OWASP logging vocabulary, or deliberately none; the published schema knows the same words."""

import json
import re

import pytest

from audit.events import Event
from audit.owasp import ALERTS, SAID, WORDS, Word
from privacy.alerts.models import AlertKind
from tests.settings import ROOT

VOCABULARY = {
    "authn_login_success": "INFO",
    "authn_login_successafterfail": "INFO",
    "authn_login_fail": "WARN",
    "authn_login_fail_max": "WARN",
    "authn_login_lock": "WARN",
    "authn_password_change": "INFO",
    "authn_password_change_fail": "CRITICAL",
    "authn_impossible_travel": "CRITICAL",
    "authn_token_created": "INFO",
    "authn_token_revoked": "INFO",
    "authn_token_reuse": "CRITICAL",
    "authn_token_delete": "WARN",
    "authz_fail": "CRITICAL",
    "authz_change": "WARN",
    "authz_admin": "WARN",
    "privilege_permissions_changed": "WARN",
    "crypt_encrypt_fail": "WARN",
    "crypt_decrypt_fail": "WARN",
    "excess_rate_limit_exceeded": "WARN",
    "excess_sessions_exceeded": "WARN",
    "upload_complete": "INFO",
    "upload_stored": "INFO",
    "upload_validation": "INFO|CRITICAL",
    "upload_delete": "INFO",
    "input_validation_fail": "WARN",
    "input_validation_discrete_fail": "WARN",
    "malicious_excess_404": "WARN",
    "malicious_extraneous": "CRITICAL",
    "malicious_attack_tool": "CRITICAL",
    "malicious_sqli": "CRITICAL",
    "malicious_cors": "CRITICAL",
    "malicious_direct_reference": "CRITICAL",
    "malicious_csrf": "WARN",
    "malicious_csp_violation": "WARN",
    "sensitive_create": "WARN",
    "sensitive_read": "WARN",
    "sensitive_update": "WARN",
    "sensitive_delete": "WARN",
    "sequence_fail": "CRITICAL",
    "session_created": "INFO",
    "session_renewed": "INFO",
    "session_expired": "INFO",
    "session_logout": "INFO",
    "session_use_after_expire": "CRITICAL",
    "sys_startup": "WARN",
    "sys_shutdown": "WARN",
    "sys_restart": "WARN",
    "sys_crash": "WARN",
    "sys_monitor_disabled": "WARN",
    "sys_monitor_enabled": "WARN",
    "user_created": "WARN",
    "user_updated": "WARN",
    "user_archived": "WARN",
    "user_deleted": "WARN",
}
"""As published, each with its level, without those of MCP servers; copied by hand: https://cheatsheetseries.owasp.org/cheatsheets/Logging_Vocabulary_Cheat_Sheet.html"""

pytestmark = pytest.mark.promise("PROTECT-2")


def test_every_event_has_its_words_or_deliberately_none():
    assert sorted(set(Event) - set(WORDS)) == [], "give each of these its line in audit/owasp.py"


def test_the_words_are_those_of_the_vocabulary():
    assert sorted(Word) == sorted(VOCABULARY)


def test_every_word_in_use_says_something_and_no_other_does():
    assert {word for words in (*WORDS.values(), *ALERTS.values()) for word in words} == set(SAID)


def test_each_word_is_as_loud_as_the_vocabulary_says():
    assert {word.value: level.value for word, (level, _) in SAID.items()} == {word.value: VOCABULARY[word] for word in SAID}


def test_every_kind_of_alert_has_its_words_or_deliberately_none():
    assert sorted(ALERTS) == sorted(AlertKind)


def test_refusals_and_openings_have_words():
    silent = [event for event in Event if re.search(r"\.(refused|opened|destroyed|erased)$", event) and not WORDS[event]]

    assert set(silent) <= {Event.TICKET_OPENED, Event.PAYMENT_REFUSED, Event.PROPOSAL_REFUSED, Event.EPOCH_DESTROYED}


def test_the_schema_names_the_same_words():
    schema = json.loads((ROOT / "docs" / "security-log.schema.json").read_text())

    named = re.match(r"\^\(([a-z0-9_|]+)\):", schema["properties"]["event"]["pattern"])

    assert named is not None
    assert named[1].split("|") == list(Word)
