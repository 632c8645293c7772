"""The public addresses of the policy's history and announcements (CHANGE-1, CHANGE-5)."""

from django.urls import path

from privacy.publication import views
from privacy.publication.feed import AnnouncementFeed

urlpatterns = [
    path("privacy/policy/history/", views.policy_history, name="policy-history"),
    path("privacy/policy/<int:old>/to/<int:new>/", views.policy_differences, name="policy-differences"),
    path("privacy/announcements/", views.announcements, name="announcements"),
    path("privacy/announcements/<int:number>/", views.announcement, name="announcement"),
    path("privacy/announcements/feed/", views.public_page(AnnouncementFeed()), name="announcements-feed"),
]
