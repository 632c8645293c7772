"""Tables of other people's code: what each holds, and how it is kept free of personal data (COLLECT-1)."""

OUR_APPS = frozenset({"accounts", "api", "audit", "demo", "marketplace", "orders", "privacy"})

THIRD_PARTY_TABLES: dict[str, str] = {
    "admin.logentry": "The admin's own history would hold titles and messages; the staff site writes none to it.",
    "auth.permission": "Names of models. Access follows the role matrix, so nobody is linked to a permission.",
    "auth.group": "Unused; access follows the role matrix.",
    "auth.group_permissions": "Unused; access follows the role matrix.",
    "contenttypes.contenttype": "Names of models.",
    "sessions.session": "Unused; sessions are accounts.AccountSession rows, which hold ids alone.",
    "axes.accessattempt": "Unused; attempts are counted in the cache under keyed digests, without address or name.",
    "axes.accessattemptexpiration": "Unused; attempts are counted in the cache.",
    "axes.accesslog": "Unused; the access log is switched off.",
    "axes.accessfailurelog": "Unused; the failure log is switched off.",
}
