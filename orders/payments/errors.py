class NothingToRetry(Exception):
    """A payment of the order is under way or went through."""
