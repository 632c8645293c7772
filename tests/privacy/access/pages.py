"""Pages for the tests of the request's unit of work: each does one thing with a note and then something else happens."""

from django.http import Http404, HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import path

from privacy.access.gate import open_access, open_for_unit
from privacy.declarations.purposes import Purpose
from privacy.vault.models import Subject
from tests.privacy.vault.records import Note, person


def _grant(note):
    return open_for_unit(by=person(note.subject), purpose=Purpose.RIGHTS, subject=note.subject)


def shows(request, id):
    """Opens while the template is rendered, which happens after the view has returned."""
    note = Note.objects.get(pk=id)
    template = engines["django"].from_string("{% load privacy %}[{{ note.name|opened:grant }}][{{ note.name }}]")
    return TemplateResponse(request, template, {"note": note, "grant": _grant(note)})


def shows_then_breaks(request, id):
    note = Note.objects.get(pk=id)
    template = engines["django"].from_string("{% load privacy %}{{ note.name|opened:grant }}{% include 'no such template' %}")
    return TemplateResponse(request, template, {"note": note, "grant": _grant(note)})


def answers_500(request, id):
    note = Note.objects.get(pk=id)
    _grant(note).open(note.name)
    return HttpResponse("broken", status=500)


def is_refused(request, id):
    note = Note.objects.get(pk=id)
    Note.objects.filter(pk=id).update(code="changed")
    stranger = person(Subject())
    with open_access(by=stranger, purpose=Purpose.RIGHTS, subject=note.subject) as grant:
        return HttpResponse(grant.open(note.name))


def is_not_found(request, id):
    note = Note.objects.get(pk=id)
    _grant(note).open(note.name)
    raise Http404


urlpatterns = [
    path("shows/<uuid:id>/", shows),
    path("breaks/<uuid:id>/", shows_then_breaks),
    path("500/<uuid:id>/", answers_500),
    path("refused/<uuid:id>/", is_refused),
    path("404/<uuid:id>/", is_not_found),
]
