"""People's rights for programs, at the addresses below; the pages end in the same actions and queries (RIGHTS-6)."""

from django.urls import path

from privacy.rights.api import data, permissions, requests

urlpatterns = [
    path("data/", data.DataPage.as_view(), name="data"),
    path("data/time-line/", data.TimeLine.as_view(), name="time-line"),
    path("data/uses/", data.UseList.as_view(), name="uses"),
    path("data/uses/withheld/", data.WithheldList.as_view(), name="withheld-uses"),
    path("data/uses/proofs/", data.UseProofs.as_view(), name="use-proofs"),
    path("data/uses/<uuid:entry_id>/proof/", data.UseProof.as_view(), name="use-proof"),
    path("data/recipients/", data.RecipientList.as_view(), name="recipients"),
    path("data/recipients/<slug:slug>/", data.DisclosureList.as_view(), name="recipient"),
    path("data/categories/<slug:category>/", data.RecordList.as_view(), name="records"),
    path("permissions/", permissions.PermissionList.as_view(), name="permissions"),
    path("permissions/<slug:purpose>/", permissions.PermissionPage.as_view(), name="permission"),
    path("permissions/<slug:purpose>/decisions/", permissions.DecisionList.as_view(), name="decisions"),
    path("approvals/", permissions.ApprovalList.as_view(), name="approvals"),
    path("approvals/<slug:slug>/<slug:purpose>/", permissions.ApprovalPage.as_view(), name="approval"),
    path("requests/", requests.RequestList.as_view(), name="requests"),
    path("requests/copies/", requests.CopyMaker.as_view(), name="copies"),
    path("requests/corrections/", requests.CorrectionMaker.as_view(), name="corrections"),
    path("requests/correctable/", requests.CorrectableList.as_view(), name="correctable"),
    path("requests/erasure-plan/", requests.ErasurePlan.as_view(), name="erasure-plan"),
    path("requests/erasures/", requests.ErasureMaker.as_view(), name="erasures"),
    path("requests/freezes/", requests.FreezeMaker.as_view(), name="freezes"),
    path("requests/objections/", requests.ObjectionMaker.as_view(), name="objections"),
    path("requests/<uuid:request_id>/", requests.RequestPage.as_view(), name="request"),
    path("requests/<uuid:request_id>/cancel/", requests.RequestCancellation.as_view(), name="cancel-request"),
    path("requests/<uuid:request_id>/lift/", requests.RestrictionEnd.as_view(), name="lift"),
    path("requests/<uuid:request_id>/download/", requests.CopyDownload.as_view(), name="download"),
]
