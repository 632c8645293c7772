"""What these tests share stands beside the vault's."""

import pytest

from tests.privacy.policy_matrix.records import TABLE
from tests.privacy.vault.fixtures import forgotten_keys, note_tables, policy

__all__ = ["forgotten_keys", "note_tables", "policy"]


@pytest.fixture
def everything_table(django_db_setup, owner_connection):
    owner = owner_connection("default")
    with owner, owner.cursor() as cursor:
        cursor.execute(TABLE)
