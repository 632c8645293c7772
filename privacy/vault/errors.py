"""What can go wrong with sealed values and keys; no message ever holds a value (PROTECT-1)."""


class VaultError(Exception):
    """Base of all."""


class VaultUnavailable(VaultError):
    """The keys' database does not answer; nothing personal can be opened or sealed."""


class KeyDestroyed(VaultError):
    """The key was destroyed by an erasure; what it sealed cannot be opened and nothing new is sealed."""


class KeyReplaced(VaultError):
    """A newer key took over while a file was written; nothing is lost by writing it again."""


class Unreadable(VaultError):
    """The token or its key is damaged, or it stands in a row, column or person that it was not sealed for."""


class SealedValueMisused(VaultError, TypeError):
    """A sealed value was used in a way that would lose or leak it; the message names the field."""
