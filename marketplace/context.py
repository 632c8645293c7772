"""What every page knows about the site."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from privacy.policy.operator import operator


def site(request: HttpRequest) -> dict[str, object]:
    """Context processor: whether this is the demo, and who runs the shop (asked for by pages that show it)."""
    return {"demo": settings.DEMO, "operator": SimpleLazyObject(operator)}
