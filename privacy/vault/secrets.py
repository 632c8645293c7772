"""Secrets that belong to no person, such as a partner's webhook secret (PROTECT-2)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django_cryptography.utils.crypto import FernetBytes


class SecretField(models.BinaryField):
    """Text sealed by django-cryptography's FernetBytes, never pickled; loads as text and cannot be looked up."""

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, str):
            value = FernetBytes().encrypt(value.encode())
        return super().get_db_prep_value(value, connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        return None if value is None else FernetBytes().decrypt(bytes(value)).decode()
