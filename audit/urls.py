"""The log's page and its verifier; the files of the log are answered by `audit.serving`."""

from django.urls import path

from audit import views

app_name = "audit"

urlpatterns = [
    path("log/", views.log_page, name="log"),
    path("log/verify_log.py", views.verifier, name="verifier"),
]
