from django import template

from orders.money import format_money

register = template.Library()


@register.filter
def money(amount: int, currency: str) -> str:
    """``{{ order.total|money:order.currency }}``; the amount is in minor units."""
    return format_money(amount, currency)
