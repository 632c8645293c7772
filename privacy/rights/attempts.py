"""The password again, before a copy leaves, an erasure is asked for or a mailbox changes; few guesses (RIGHTS-1, RIGHTS-3)."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache

from privacy.rights.errors import TooManyAttempts, WrongPassword

ATTEMPTS = 5
SECONDS = 900


def confirm_password(user: Any, password: str) -> None:
    """Raises WrongPassword, and TooManyAttempts after five wrong ones in a quarter of an hour.

    The try is counted before the password is looked at, so that guesses sent at once do not all get through.
    """
    key = f"rights:password:{user.pk}"
    cache.add(key, 0, SECONDS)
    try:
        tries = cache.incr(key)
    except ValueError:  # it expired between the two calls
        tries = 1
    if tries > ATTEMPTS:
        raise TooManyAttempts
    if not user.check_password(password):
        raise WrongPassword
    cache.delete(key)
