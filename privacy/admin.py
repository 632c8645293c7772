"""Staff pages of the app, by import (see the folders)."""

from privacy.access import admin as access_admin
from privacy.access.approvals import admin as approvals_admin
from privacy.access.overrides import admin as overrides_admin
from privacy.access.oversight import admin as oversight_admin
from privacy.access.silences import admin as silences_admin
from privacy.complaints import admin as complaints_admin
from privacy.log_search import admin as log_search_admin
from privacy.policy import admin as policy_admin
from privacy.publication import admin as publication_admin
from privacy.publication import draft_admin
from privacy.retention import admin as retention_admin
from privacy.rights import admin as rights_admin
from privacy.sharing import admin as sharing_admin
from privacy.staff_exports import admin as staff_exports_admin

__all__ = [
    "access_admin",
    "approvals_admin",
    "complaints_admin",
    "draft_admin",
    "log_search_admin",
    "overrides_admin",
    "oversight_admin",
    "policy_admin",
    "publication_admin",
    "retention_admin",
    "rights_admin",
    "sharing_admin",
    "silences_admin",
    "staff_exports_admin",
]
