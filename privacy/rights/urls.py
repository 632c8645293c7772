"""The addresses of the pages on which people use their rights (RIGHTS-6)."""

from django.urls import path

from privacy.rights.views import data, erasure, permissions, requests

urlpatterns = [
    path("account/data/", data.my_data, name="my-data"),
    path("account/data/copy/", requests.get_a_copy, name="get-a-copy"),
    path("account/data/<str:category>/", data.category, name="category"),
    path("account/permissions/", permissions.permissions, name="permissions"),
    path("account/permissions/<str:purpose>/give/", permissions.give, name="give"),
    path("account/permissions/<str:purpose>/withdraw/", permissions.withdraw, name="withdraw"),
    path("account/requests/", requests.requests, name="requests"),
    path("account/requests/<uuid:request_id>/", requests.show, name="request"),
    path("account/requests/<uuid:request_id>/progress/", requests.progress, name="request-progress"),
    path("account/requests/<uuid:request_id>/download/", requests.download, name="download"),
    path("account/requests/<uuid:request_id>/cancel/", requests.cancel, name="cancel"),
    path("account/erase/", erasure.erase, name="erase"),
    path("privacy/receipts/<str:token>/", erasure.receipt, name="receipt"),
]
