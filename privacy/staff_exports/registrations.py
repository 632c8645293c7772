"""What exports by staff tell the rooms below when the site starts (COLLECT-5, PROTECT-3)."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from privacy.access.approvals.kinds import ProposalKind, register_proposal_kind
from privacy.access.overrides.queries import OVERRIDABLE
from privacy.policy.roles import Role
from privacy.rights.cases import register_case_words
from privacy.rights.erasure import register_step
from privacy.rights.models import Request
from privacy.staff_exports.actions import delete_exports_about, plan_export, refuse_undone, sealed_exports, start_export, write_people
from privacy.staff_exports.forms import ExportForm
from privacy.staff_exports.kinds import ExportKind, register_export_kind
from privacy.staff_exports.models import StaffExport
from privacy.staff_exports.people import describe_exports, register_exportable
from privacy.vault.files import register_sealed_files

STAFF_EXPORT = "staff-export"


def register_all() -> None:
    register_proposal_kind(
        ProposalKind(
            name=STAFF_EXPORT,
            label=_("Export data of several people"),
            does=_("One file with chosen kinds of data of the people behind chosen cases. Each of them reads that it was made."),
            proposers=frozenset(OVERRIDABLE),
            approvers=frozenset({Role.PRIVACY_OFFICER, Role.SECURITY}),
            describe=plan_export,
            perform=start_export,
            results={"people": _("people in it")},
            form=ExportForm,
            made=lambda proposal: StaffExport.objects.filter(proposal=proposal).first(),
            is_offered=lambda: settings.STAFF_EXPORTS,
        )
    )
    register_export_kind(STAFF_EXPORT, ExportKind(write_people, "csv", "text/csv; charset=utf-8", refuse_undone))
    register_exportable(Request)
    register_step("staff exports", delete_exports_about)
    register_sealed_files(sealed_exports)
    register_case_words(StaffExport._meta.label_lower, describe_exports)
