"""What these tests share stands beside the vault's."""

from tests.privacy.vault.fixtures import forgotten_keys, note, note_tables, own, policy, subject

__all__ = ["forgotten_keys", "note", "note_tables", "own", "policy", "subject"]
