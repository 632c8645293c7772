"""What these tests share stands beside the vault's."""

import pytest

from tests.privacy.vault.fixtures import forgotten_keys, note_tables, policy


@pytest.fixture(autouse=True)
def in_force(policy):
    """Mail is sent under the policy in force."""


__all__ = ["forgotten_keys", "note_tables", "policy"]
