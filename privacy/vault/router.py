"""Keys live in a database of their own (PROTECT-2)."""

from __future__ import annotations

from typing import Any

VAULT_MODELS = frozenset({"subjectkey", "destroyedkey", "clearing", "epoch", "epochsecret", "keychange", "keyencryptionkey"})


class VaultRouter:
    """Sends the key tables to ``vault`` and everything else to ``default``; nothing is migrated in both."""

    def _alias(self, app_label: str, model_name: str | None) -> str:
        return "vault" if app_label == "privacy" and model_name in VAULT_MODELS else "default"

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return self._alias(model._meta.app_label, model._meta.model_name)

    db_for_write = db_for_read

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool | None:
        return self.db_for_read(one) == self.db_for_read(other)  # not type(): request.user is a lazy object

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        if model_name is None:
            return hints.get("alias", "default") == db
        return self._alias(app_label, model_name) == db
