from __future__ import annotations

from django import template

from orders.invoices.actions import address_lines
from orders.lifecycle.models import OrderAddress
from privacy.access.gate import Grant

register = template.Library()


@register.simple_tag
def opened_address(address: OrderAddress, grant: Grant) -> list[str]:
    """``{% opened_address address grant as lines %}``: name and address, a line each."""
    return [grant.show(address.addressee), *address_lines(address, grant.show)]
