"""What a sealed value shows instead of itself (PROTECT-4).

A mask is a constant of the field, so that it tells nothing about the value, its length included.
"""

from django.utils.translation import gettext_lazy as _

name = "••••• •••••"
email = "•••••@•••••"
phone = "+•• ••• ••••"
address = "•••••••••"
text = "••••••"
reference = "••••-••••"

ALL = frozenset({name, email, phone, address, text, reference})
LEFT_IN = _("These dots stand for a hidden value. Type the whole value anew.")


def is_left_in(text: str) -> bool:
    """Whether ``text`` is a mask, or what is left of one after somebody typed into it."""
    return "••" in text
