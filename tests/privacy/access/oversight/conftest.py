"""What these tests share stands beside the vault's."""

from tests.privacy.vault.fixtures import forgotten_keys, note_tables, policy

__all__ = ["forgotten_keys", "note_tables", "policy"]
