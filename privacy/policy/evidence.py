"""Live evidence that declarations, vault and policy can give (COLLECT, PROTECT, CHANGE)."""

from __future__ import annotations

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

from privacy.declarations.categories import Category
from privacy.declarations.purposes import Purpose
from privacy.declarations.registry import data_map, our_models
from privacy.policy.matrix import MATRIX, purposes_open_to
from privacy.policy.models import NOTICE_PERIOD, PolicyText, PolicyVersion
from privacy.policy.promises import Evidence, counted, register_evidence
from privacy.policy.queries import FALLBACK_LOCALE, policy_in_force, published_versions
from privacy.policy.roles import Role
from privacy.vault.fields import SealedField, sealed_fields
from privacy.vault.models import DestroyedKey, SubjectKey


def register() -> None:
    register_evidence("COLLECT-1", declared_fields)
    register_evidence("COLLECT-2", categories_in_use)
    register_evidence("COLLECT-4", purposes_of_the_policy)
    register_evidence("PROTECT-1", keys_in_the_vault)
    register_evidence("PROTECT-2", rights_of_this_process)
    register_evidence("PROTECT-3", the_matrix)
    register_evidence("PROTECT-4", masks_in_use)
    register_evidence("RIGHTS-10", languages_of_the_policy)
    register_evidence("CHANGE-1", notice_of_each_version)
    register_evidence("CHANGE-2", version_in_force)
    register_evidence("CHANGE-5", versions_to_read)


def _sealed() -> list[SealedField]:
    return [field for model in our_models() for field in sealed_fields(model)]


def declared_fields() -> Evidence:
    fields = list(data_map())
    undeclared = [field for field in fields if not field.personal and not field.why and not _is_implied(field)]
    numbers = {"personal": sum(field.personal for field in fields), "all": len(fields), "undeclared": len(undeclared)}
    text = _("Of %(all)d stored fields %(personal)d are declared personal and %(undeclared)d undeclared.") % numbers
    return Evidence(not undeclared, text)


def _is_implied(field: object) -> bool:
    """The row's own id and its person need no reason of their own."""
    return field.name == "subject" or field.model._meta.get_field(field.name).primary_key  # type: ignore[attr-defined]


def categories_in_use() -> Evidence:
    fields = _sealed()
    numbers = {"fields": len(fields), "used": len({field.category for field in fields}), "all": len(Category)}
    text = _("%(fields)d personal fields fall into %(used)d of the %(all)d kinds of data.") % numbers
    return Evidence(all(field.category in Category for field in fields), text)


def purposes_of_the_policy() -> Evidence:
    version = policy_in_force()
    unknown = set(version.purposes) - set(Purpose.values)
    text = ngettext(
        "The policy in force allows %(number)d purpose; no other has a name in the program.",
        "The policy in force allows %(number)d purposes; no other has a name in the program.",
        len(version.purposes),
    ) % {"number": len(version.purposes)}
    return Evidence(not unknown, text, version.effective_at)


def keys_in_the_vault() -> Evidence:
    numbers = {
        "fields": len(_sealed()),
        "keys": counted(SubjectKey.objects.all()),
        "destroyed": counted(DestroyedKey.objects.all()),
    }
    text = _("%(fields)d fields are sealed under %(keys)s keys of people; %(destroyed)s keys were destroyed.") % numbers
    return Evidence(_is_apart(), text)


def _is_apart() -> bool:
    """Whether keys and data lie in two databases."""
    places = {tuple(connections[alias].settings_dict[key] for key in ("HOST", "PORT", "NAME")) for alias in ("default", "vault")}
    return len(places) == 2


def rights_of_this_process() -> Evidence:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb,"
            " (SELECT count(*) FROM pg_class WHERE relowner = r.oid) FROM pg_roles r WHERE r.rolname = current_user"
        )
        has_powers, owned = cursor.fetchone()
    text = _("The database role of this process owns %(number)d tables.") % {"number": owned}
    return Evidence(owned == 0 and not has_powers, text)


def the_matrix() -> Evidence:
    allowed = sum(len(purposes_open_to(role)) for role in Role)
    numbers = {"roles": len(Role), "allowed": allowed, "all": len(Role) * len(Purpose)}
    text = _("%(roles)d roles: %(allowed)d of %(all)d pairs of role and purpose open anything.") % numbers
    return Evidence(not MATRIX[Role.ADMINISTRATOR] and not MATRIX[Role.AUDITOR], text)


def masks_in_use() -> Evidence:
    fields = _sealed()
    masked = sum(bool(field.mask) for field in fields)
    text = _("%(masked)d of %(all)d personal fields print as a mask.") % {"masked": masked, "all": len(fields)}
    return Evidence(masked == len(fields), text)


def notice_of_each_version() -> Evidence:
    later = list(PolicyVersion.objects.exclude(number=1))
    hasty = [version for version in later if version.effective_at < version.announced_at + NOTICE_PERIOD]
    if not later:
        return Evidence(None, _("No version has followed the first one yet."))
    numbers = {"later": len(later), "hasty": len(hasty), "days": NOTICE_PERIOD.days}
    text = _("%(hasty)d of %(later)d later versions had less than %(days)d days of notice.") % numbers
    return Evidence(not hasty, text)


def version_in_force() -> Evidence:
    version = policy_in_force()
    text = _("Version %(number)d is in force.") % {"number": version.number}
    return Evidence(version.effective_at <= timezone.now(), text, version.effective_at)


def languages_of_the_policy() -> Evidence:
    """The site's languages, and in how many of them the words in force are there to be read."""
    languages = [language for language, _name in settings.LANGUAGES]
    written = set(policy_in_force().texts.values_list("locale", flat=True))
    numbers = {"all": len(languages), "rtl": sum(get_language_info(language)["bidi"] for language in languages)}
    text = _("The pages are there in %(all)d languages, %(rtl)d of them written from right to left.") % numbers
    more = _("The policy in force is written in %(number)d of them.") % {"number": len(written.intersection(languages))}
    return Evidence(FALLBACK_LOCALE in written, f"{text} {more}")


def versions_to_read() -> Evidence:
    versions = published_versions()
    readable = PolicyText.objects.filter(version__in=versions, locale=FALLBACK_LOCALE).count()
    text = _("%(readable)d of %(all)d announced versions can be read.") % {"readable": readable, "all": len(versions)}
    return Evidence(bool(versions) and readable == len(versions), text)
