"""The policy's public addresses (CHANGE-5)."""

from django.urls import path

from privacy.policy import views

urlpatterns = [
    path("privacy/policy/", views.policy, name="policy"),
    path("privacy/policy/<int:number>/", views.policy_version, name="policy-version"),
]
