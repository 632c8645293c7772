"""The public addresses of the policy and of who answers for it (CHANGE-5)."""

from django.urls import path

from privacy.policy import operator_views, views

urlpatterns = [
    path("privacy/policy/", views.policy, name="policy"),
    path("privacy/policy/<int:number>/", views.policy_version, name="policy-version"),
    path("privacy/promises/", views.promises, name="promises"),
    path("imprint/", operator_views.imprint, name="imprint"),
    path("terms/", operator_views.terms, name="terms"),
    path("security/", operator_views.security_contact, name="security-contact"),
    path(".well-known/security.txt", operator_views.security_txt, name="security-txt"),
]
