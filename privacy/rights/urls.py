"""The addresses of the pages on which people use their rights (RIGHTS-6)."""

from django.urls import path

from privacy.rights.views import corrections, data, erasure, permissions, recipients, requests, restrictions, uses

urlpatterns = [
    path("account/data/", data.my_data, name="my-data"),
    path("account/data/copy/", requests.get_a_copy, name="get-a-copy"),
    path("account/data/when/", data.time_line, name="time-line"),
    path("account/data/<str:category>/", data.category, name="category"),
    path("account/permissions/", permissions.permissions, name="permissions"),
    path("account/permissions/<str:purpose>/", permissions.permission, name="permission"),
    path("account/permissions/<str:purpose>/give/", permissions.give, name="give"),
    path("account/permissions/<str:purpose>/withdraw/", permissions.withdraw, name="withdraw"),
    path("account/requests/", requests.requests, name="requests"),
    path("account/requests/<uuid:request_id>/", requests.show, name="request"),
    path("account/requests/<uuid:request_id>/progress/", requests.progress, name="request-progress"),
    path("account/requests/<uuid:request_id>/download/", requests.download, name="download"),
    path("account/requests/<uuid:request_id>/cancel/", requests.cancel, name="cancel"),
    path("account/requests/<uuid:request_id>/lift/", restrictions.lift, name="lift"),
    path("account/uses/", uses.uses, name="uses"),
    path("account/uses/proofs/", uses.proofs, name="proofs"),
    path("account/uses/<uuid:entry_id>/proof/", uses.proof, name="proof"),
    path("account/recipients/", recipients.recipients, name="recipients"),
    path("account/recipients/<slug:slug>/", recipients.recipient, name="recipient"),
    path("account/recipients/<slug:slug>/approval/", recipients.approve, name="approve"),
    path("account/correct/", corrections.correct, name="correct"),
    path("account/correct/<uuid:record_id>/", corrections.correct_record, name="correct-record"),
    path("account/freeze/", restrictions.freeze, name="freeze"),
    path("account/object/", restrictions.object_to, name="object"),
    path("account/erase/", erasure.erase, name="erase"),
    path("privacy/receipts/<str:token>/", erasure.receipt, name="receipt"),
]
