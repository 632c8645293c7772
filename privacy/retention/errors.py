"""Why a purge run stops, or a hold is not placed (CHANGE-4, RIGHTS-8)."""


class RetentionError(Exception):
    """Base of all."""


class RunIsOver(RetentionError):
    """A finished run deletes nothing more; start another one."""


class RoleMayNot(RetentionError):
    """This is another role's work."""


class HoldNotPossible(RetentionError):
    """The day is past, or the person's data is gone already."""
