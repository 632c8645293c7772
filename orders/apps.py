from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from importlib.util import find_spec

        from orders.lifecycle.mails import register_order_mails

        register_order_mails()
        if find_spec("privacy.rights.erasure"):
            from orders.lifecycle.blockers import register_order_blockers

            register_order_blockers()
