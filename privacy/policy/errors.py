"""Why a policy version, or who answers for it, is refused (CHANGE-1)."""


class PolicyError(Exception):
    """Base of all."""


class NoPolicyInForce(PolicyError):
    """No version is in force yet; run ``manage.py setup_site``."""


class NoticeTooShort(PolicyError):
    """A version takes effect only after its announcement and the notice period."""


class UnknownPromise(PolicyError):
    """No promise has this id."""


class RoleMayNot(PolicyError):
    """This is another role's work."""


class ChangedMeanwhile(PolicyError):
    """Somebody else changed it since it was read; their change is not overwritten."""


class AlreadyInForce(PolicyError):
    """A version that has taken effect, or was withdrawn before, cannot be withdrawn."""
