"""Browsers of people without an account who have followed the link in a mail."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from privacy.access.guests import KEY


def guest_client(subject, ago=timedelta()) -> Client:
    """A browser that was let in so long ``ago``."""
    client = Client()
    session = client.session
    session[KEY] = {"subject": str(subject.pk), "proved_at": (timezone.now() - ago).isoformat()}
    session.save()
    return client
