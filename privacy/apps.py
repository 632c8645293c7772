"""The app that keeps the promises; on start it joins the log to the vault (USE-3)."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = "Privacy"

    def ready(self) -> None:
        from audit.commitments import register_key_source
        from privacy.access import evidence as access_evidence
        from privacy.access.registrations import register_all as register_access
        from privacy.complaints import evidence as complaints_evidence
        from privacy.complaints.registrations import register_all as register_complaints
        from privacy.consent import evidence as consent_evidence
        from privacy.declarations import registry  # noqa: F401  registers its system check
        from privacy.log_search.bundles import register_all as register_log_search
        from privacy.policy import evidence as policy_evidence
        from privacy.publication.mails import declare_mails as declare_policy_mails
        from privacy.retention import checks  # noqa: F401  registers its system check
        from privacy.retention import evidence as retention_evidence
        from privacy.retention.registrations import register_all as register_retention
        from privacy.rights import evidence as rights_evidence
        from privacy.rights.registrations import register_all
        from privacy.sharing import evidence as sharing_evidence
        from privacy.staff_exports.registrations import register_all as register_staff_exports
        from privacy.vault.commitments import VaultKeySource
        from privacy.vault.grants import install_grants
        from privacy.wall.install import install_wall, refuse_undeclared

        register_key_source(VaultKeySource())
        pre_migrate.connect(refuse_undeclared, sender=self, dispatch_uid="privacy.refuse_undeclared")
        post_migrate.connect(install_grants, sender=self, dispatch_uid="privacy.install_grants")
        post_migrate.connect(install_wall, sender=self, dispatch_uid="privacy.install_wall")
        for room in (
            policy_evidence,
            consent_evidence,
            access_evidence,
            sharing_evidence,
            retention_evidence,
            rights_evidence,
            complaints_evidence,
        ):
            room.register()
        register_access()
        register_retention()
        register_all()
        register_staff_exports()
        register_log_search()
        register_complaints()
        declare_policy_mails()
