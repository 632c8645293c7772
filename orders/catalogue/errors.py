class OutOfStock(Exception):
    """Fewer pieces are left than were asked for."""

    def __init__(self, product_id: object) -> None:
        super().__init__("out of stock")
        self.product_id = product_id
