"""Why a policy version is refused (CHANGE-1)."""


class PolicyError(Exception):
    """Base of all."""


class NoPolicyInForce(PolicyError):
    """No version is in force yet; run ``manage.py setup_site``."""


class NoticeTooShort(PolicyError):
    """A version takes effect only after its announcement and the notice period."""


class UnknownPromise(PolicyError):
    """No promise has this id."""
