"""The addresses of the app, by import (see the folders)."""

from privacy.complaints.urls import urlpatterns as complaints_urls
from privacy.policy.urls import urlpatterns as policy_urls
from privacy.publication.urls import urlpatterns as publication_urls
from privacy.rights.urls import urlpatterns as rights_urls

app_name = "privacy"

urlpatterns = [*complaints_urls, *policy_urls, *publication_urls, *rights_urls]
