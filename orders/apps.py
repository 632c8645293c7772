from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from orders.checkout import evidence
        from orders.guests.registrations import register_guests
        from orders.lifecycle.abouts import register_order_abouts
        from orders.lifecycle.blockers import register_order_blockers
        from orders.lifecycle.books import register_books
        from orders.lifecycle.cases import register_order_cases
        from orders.lifecycle.mails import register_order_mails
        from orders.lifecycle.mass import register_order_mass_acts
        from orders.lifecycle.routing import register_routing
        from orders.lifecycle.sections import register_order_sections
        from orders.lifecycle.traits import register_order_traits
        from orders.parcels.operations import takers_of
        from orders.rates.first import put_first_rates
        from orders.withdrawals.registrations import register_withdrawals
        from privacy.setup import register_setup_step
        from privacy.sharing.actions import register_takers

        evidence.register()
        register_order_blockers()
        register_order_mails()
        register_order_sections()
        register_order_cases()
        register_order_mass_acts()
        register_routing()
        register_order_abouts()
        register_order_traits()
        register_books()
        register_takers("orders.parcel", takers_of)
        register_guests()
        register_withdrawals()
        register_setup_step(put_first_rates)
