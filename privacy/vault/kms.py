"""Key-encryption keys that stay inside AWS KMS, which wraps 32-byte keys and never sees data (PROTECT-1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from privacy.vault.errors import Unreadable, VaultUnavailable
from privacy.vault.keyrings import Label

CONFIGURATION = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
DAMAGED = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})


class KmsKeyRing:
    """Key-encryption keys held by AWS KMS: version to key id or ARN; the highest version is current.

    Region, credentials and endpoint come from where boto3 looks for them. Random ids go along as encryption context,
    which KMS checks at each unwrapping and writes into its own log.
    """

    def __init__(self, key_ids: Mapping[int, str], client: Any = None) -> None:
        self._key_ids = dict(key_ids)
        self._client = client or boto3.client("kms", config=CONFIGURATION)
        self.version = max(key_ids)

    @classmethod
    def from_settings(cls) -> Self:
        return cls(settings.KMS_KEY_IDS)

    def wrap(self, key: bytes, label: Label) -> bytes:
        with _answering():
            answer = self._client.encrypt(KeyId=self._key_ids[self.version], Plaintext=key, EncryptionContext=_context(label))
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, label: Label, version: int) -> bytes:
        if version not in self._key_ids:
            raise Unreadable(f"key-encryption key version {version} is not configured")
        with _answering():
            answer = self._client.decrypt(KeyId=self._key_ids[version], CiphertextBlob=wrapped, EncryptionContext=_context(label))
        return bytes(answer["Plaintext"])


def _context(label: Label) -> dict[str, str]:
    return {"kind": label.kind, "key": label.id.hex, "subject": label.subject_id.hex, "scope": label.scope or "none"}


@contextmanager
def _answering() -> Iterator[None]:
    """From None: what boto3 says may name hosts and accounts."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in DAMAGED:
            raise Unreadable("a wrapped key is damaged or belongs to somebody else") from None
        raise VaultUnavailable(f"the key ring refused: {code}") from None
    except BotoCoreError as error:
        raise VaultUnavailable(f"the key ring does not answer: {type(error).__name__}") from None
