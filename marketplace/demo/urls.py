"""Addresses that exist in the demo alone."""

from django.conf import settings
from django.urls import path

from marketplace.demo import views

app_name = "demo"

urlpatterns = [
    path("demo/accounts/", views.accounts, name="accounts"),
    path("demo/mailbox/", views.mailbox, name="mailbox"),
    path("demo/mailbox/<uuid:mail_id>/", views.message, name="message"),
]
if not settings.DEMO:
    urlpatterns = []
