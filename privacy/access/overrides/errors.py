"""Why an exception stays as it is (PROTECT-3)."""


class OverrideOver(Exception):
    """It has ended already."""


class RoleMayNot(Exception):
    """This is another role's work."""
