class CheckoutRefused(Exception):
    """Base of what stops an order from being placed."""


class BasketEmpty(CheckoutRefused):
    """Nothing in the basket is for sale."""


class MethodUnknown(CheckoutRefused):
    """No such payment method is offered."""


class PermissionsMissing(CheckoutRefused):
    """The person has not given a permission that an order needs."""


class CheckoutTokenTaken(CheckoutRefused):
    """Another person's order was placed with this form."""
