"""Why a purge run stops (CHANGE-4)."""


class RetentionError(Exception):
    """Base of all."""


class RunIsOver(RetentionError):
    """A finished run deletes nothing more; start another one."""
