"""How the file of each kind of export is made, as rooms register it (COLLECT-5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from privacy.access.approvals.models import Proposal
from privacy.staff_exports.models import StaffExport
from privacy.vault.files import SealingWriter


@dataclass(frozen=True)
class ExportKind:
    """``write(export, writer)`` writes the plain bytes, and enters in ``subject_ids`` and ``rows`` what is in the file.

    ``refuse(proposal)`` raises when it may not be made any more.
    """

    write: Callable[[StaffExport, SealingWriter], None]
    suffix: str
    content_type: str
    refuse: Callable[[Proposal], None] = lambda proposal: None


_kinds: dict[str, ExportKind] = {}


def register_export_kind(proposal_kind: str, kind: ExportKind) -> None:
    _kinds[proposal_kind] = kind


def kind_of(export: StaffExport) -> ExportKind:
    return _kinds[export.proposal.kind]
