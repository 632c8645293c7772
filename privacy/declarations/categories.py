"""The five categories of personal data and the scopes of their keys (COLLECT-2)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Category(TextChoices):
    """Each personal field has exactly one; pages, exports and keys are organized by them."""

    ACCOUNT = "account", _("Account details")
    PURCHASE = "purchase", _("Purchases")
    DELIVERY = "delivery", _("Delivery details")
    FINANCIAL = "financial", _("Payments and invoices")
    INTERACTION = "interaction", _("Messages and use of the site")


class Scope(TextChoices):
    """What one key of one person opens: a category, the records the law keeps, or the log's commitments."""

    ACCOUNT = "account"
    PURCHASE = "purchase"
    DELIVERY = "delivery"
    FINANCIAL = "financial"
    INTERACTION = "interaction"
    RECORDS = "records"
    LOG = "log"


CATEGORY_SCOPES: tuple[Scope, ...] = tuple(Scope(category.value) for category in Category)
