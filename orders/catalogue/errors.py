class OutOfStock(Exception):
    """Fewer pieces are left than were asked for."""

    def __init__(self, product_id: object) -> None:
        super().__init__("out of stock")
        self.product_id = product_id


class ChangedMeanwhile(Exception):
    """Somebody else changed it after it was read."""


class StockPromised(Exception):
    """Orders have been promised more pieces than would remain."""

    def __init__(self, reserved: int) -> None:
        super().__init__("pieces are promised to orders")
        self.reserved = reserved


class StockMoved(Exception):
    """The stock is not what the person saw when counting."""

    def __init__(self, on_hand: int) -> None:
        super().__init__("the stock has moved")
        self.on_hand = on_hand


class ReasonUnfit(ValueError):
    """This reason does not belong to what was done."""
