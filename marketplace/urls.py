"""The site's addresses: each part brings its own."""

import sys

from django.apps import apps
from django.contrib import admin
from django.urls import include, path

PARTS = ["orders", "marketplace.accounts", "privacy", "marketplace.demo"]


def _part(app: str) -> list:  # until every part is in the tree
    try:
        return [path("", include(f"{app}.urls"))]
    except ImportError as error:
        print(f"{app}.urls left out: {error}", file=sys.stderr)
        return []


urlpatterns = [path("admin/", admin.site.urls)]
for app in PARTS:
    if apps.is_installed(app):
        urlpatterns += _part(app)
