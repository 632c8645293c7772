"""Addresses for the tests of the frame: each does one thing with the caller's data and then something else happens."""

from django.urls import include, path
from rest_framework import serializers

from marketplace.accounts.queries import details_of
from privacy.access.gate import open_access
from privacy.declarations.purposes import Purpose
from privacy.interface.areas import Area
from privacy.interface.serializers import OpenedField, StrictSerializer
from privacy.interface.views import OwnView
from privacy.vault.models import Subject


class Shown(StrictSerializer):
    masked = serializers.ReadOnlyField(source="name")
    as_text = serializers.CharField(source="name")
    opened = OpenedField(source="name")


class View(OwnView):
    area = Area.ACCOUNT
    gives = {"GET": Shown, "POST": Shown}

    def change(self):
        """Something that must not stay when the call fails."""
        type(self.request.user).objects.filter(pk=self.request.user.pk).update(locale="de")


class Shows(View):
    def get(self, request):
        """Shows."""
        return self.answer(details_of(request.user), grant=self.opened())


class Breaks(View):
    def post(self, request):
        """Breaks."""
        self.change()
        raise ValueError(self.opened().open(details_of(request.user).name))


class IsRefused(View):
    def post(self, request):
        """Is refused: somebody else's data."""
        self.change()
        stranger = Subject.objects.create()
        with open_access(by=self.actor, purpose=Purpose.RIGHTS, subject=stranger):
            raise AssertionError


class IsInvalid(View):
    def post(self, request):
        """Finds out late that something is wrong."""
        self.change()
        raise serializers.ValidationError({"name": ["Kanarka is not a name"]})


class BreaksInRendering(View):
    def get(self, request):
        """Opens, and cannot be rendered."""
        self.change()
        response = self.answer(details_of(request.user), grant=self.opened())
        response.data["more"] = object()
        return response


urlpatterns = [
    path("api/v1/shows/", Shows.as_view()),
    path("api/v1/breaks/", Breaks.as_view()),
    path("api/v1/refused/", IsRefused.as_view()),
    path("api/v1/invalid/", IsInvalid.as_view()),
    path("api/v1/unrendered/", BreaksInRendering.as_view()),
    path("", include("marketplace.urls")),
]
