"""What every page knows about the site."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from privacy.policy.operator import operator
from privacy.policy.queries import version_to_come


def site(request: HttpRequest) -> dict[str, object]:
    """Context processor: whether this is the demo, who runs the shop, which policy is announced; asked when shown."""
    return {"demo": settings.DEMO, "operator": SimpleLazyObject(operator), "announced": SimpleLazyObject(version_to_come)}
