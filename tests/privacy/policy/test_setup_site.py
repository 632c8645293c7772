"""What every installation needs, put in place by one command."""

import io

import pytest
from django.core.management import CommandError, call_command

from privacy.declarations.purposes import Purpose
from privacy.policy.models import PolicyText, PolicyVersion


def run():
    output = io.StringIO()
    call_command("setup_site", stdout=output)
    return output.getvalue()


@pytest.mark.promise("CHANGE-5")
def test_setup_site_publishes_the_first_policy_in_every_language(nothing_published):
    assert "published and in force" in run()

    version = PolicyVersion.objects.get()
    assert (version.number, version.effective_at) == (1, version.announced_at)
    assert set(version.purposes) == set(Purpose.values)
    assert set(PolicyText.objects.values_list("locale", flat=True)) == {"en", "de", "ar"}


def test_setup_site_repeats_nothing(nothing_published):
    run()

    assert "already" in run()
    assert PolicyVersion.objects.count() == 1


@pytest.mark.promise("COLLECT-1")
@pytest.mark.django_db
def test_setup_site_refuses_an_undeclared_field(monkeypatch):
    monkeypatch.delitem(PolicyVersion.not_personal, "announced_at")

    with pytest.raises(CommandError, match="PolicyVersion: announced_at is neither"):
        run()


@pytest.mark.django_db
def test_setup_site_can_be_silent():
    output = io.StringIO()

    call_command("setup_site", stdout=output, verbosity=0)

    assert output.getvalue() == ""
