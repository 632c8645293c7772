class LinkInvalid(Exception):
    """A mailed link that was used, has run out, or never was one."""


class NotYourOrder(Exception):
    """The order is not the actor's, or belongs to an account."""
