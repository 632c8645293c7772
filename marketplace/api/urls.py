"""The addresses for programs. Each room brings its own; what none brings is not found, as a program reads it."""

from django.urls import URLPattern, path, re_path

from marketplace.accounts.api import urlpatterns as account_urls
from marketplace.api import views
from orders.catalogue.api import urlpatterns as catalogue_urls
from orders.lifecycle.api import urlpatterns as order_urls
from orders.withdrawals.api import urlpatterns as withdrawal_urls
from privacy.complaints.api import urlpatterns as complaint_urls
from privacy.publication.api import urlpatterns as publication_urls
from privacy.rights.api import urlpatterns as rights_urls

app_name = "api"

urlpatterns: list[URLPattern] = [
    path("", views.FrontDoorPage.as_view(), name="front-door"),
    path("schema/", views.schema, name="schema"),
    path("docs/", views.reference, name="reference"),
    *catalogue_urls,
    *publication_urls,
    *account_urls,
    *order_urls,
    *withdrawal_urls,
    *rights_urls,
    *complaint_urls,
    re_path(r"^[\s\S]*$", views.NothingHere.as_view(), name="nothing"),
]

# Whoever still owes the second step is nobody here, and is told so in the form that a program reads.
for pattern in urlpatterns:
    pattern.callback.open_to_half_signed_in = True  # type: ignore[attr-defined]
