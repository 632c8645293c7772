"""The partners that an order needs, and a place for files that ends with each test."""

import pytest

from tests.orders.conftest import partners

__all__ = ["partners"]


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    """The directory of the sealed files."""
    place = tmp_path / "attachments"
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": place, "base_url": None}}
    settings.STORAGES = {**settings.STORAGES, "attachments": storage}
    return place
