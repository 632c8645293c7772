"""Keeps USE-3: the log's refusals, each a fact."""


class AuditError(Exception):
    """Base of everything that the log refuses."""


class NotRecordable(AuditError):
    """An entry outside a transaction, of an unknown event, or with a value that could be personal."""


class LogRolledBack(AuditError):
    """A checkpoint kept outside the database says more than, or other than, the database does."""


class PlaceSilent(AuditError):
    """Nothing is kept here any more, and a place outside does not show the newest checkpoint that it has."""


class TransactionsBehind(AuditError):
    """The cluster counts transactions below the log's watermark, as after a restore from a dump."""


class InvalidNote(AuditError):
    """A signed note that is malformed, or that no known key signed, or whose signature is wrong."""


class InvalidProof(AuditError):
    """A Merkle proof that does not lead to the root."""


class CheckpointBroken(AuditError):
    """A checkpoint says other than what was signed, or cannot be built upon."""


class NotYetInTree(AuditError):
    """An entry that waits for its place in the tree: there is no proof of it yet."""
