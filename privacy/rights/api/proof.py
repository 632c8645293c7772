"""Who asks for what cannot be taken back proves again who they are (RIGHTS-1, RIGHTS-3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from privacy.access.guests import GuestSession
from privacy.interface.serializers import StrictSerializer, Text
from privacy.rights.attempts import confirm_password
from privacy.rights.errors import LinkTooOld
from privacy.rights.forms import PASSWORD_MAX


class PasswordGiven(StrictSerializer):
    password = Text(
        max_length=PASSWORD_MAX, trim_whitespace=False, required=False, help_text="Your password, again. Guests have none and leave it out."
    )


def confirm_again(request: Request, given: Mapping[str, Any]) -> None:
    """Raises WrongPassword, TooManyAttempts, ValidationError without a password, and LinkTooOld for a guest."""
    guest: GuestSession | None = request.guest  # type: ignore[attr-defined]
    if guest is None:
        if "password" not in given:
            raise serializers.ValidationError({"password": "missing"}, code="required")
        confirm_password(request.user, given["password"])
    elif not guest.is_fresh:
        raise LinkTooOld
