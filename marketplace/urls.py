"""The site's addresses: each part brings its own."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("marketplace.api.urls")),
    path("", include("orders.urls")),
    path("", include("marketplace.accounts.urls")),
    path("", include("privacy.urls")),
    path("", include("audit.urls")),
]
if settings.DEMO:
    urlpatterns.append(path("", include("marketplace.demo.urls")))
