"""Why a permission is refused (COLLECT-3)."""


class ConsentError(Exception):
    """Base of all."""


class NotConsentable(ConsentError):
    """This purpose does not rest on consent, or is not part of the policy in force."""


class NotYourConsent(ConsentError):
    """Only the person can give or withdraw their own consent."""


class WordsChanged(ConsentError):
    """The yes was to other words than those that are asked now."""
