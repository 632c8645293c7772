"""Why entries stay withheld (USE-3)."""


class SilenceOver(Exception):
    """It has ended already."""


class RoleMayNot(Exception):
    """This is another role's work."""
