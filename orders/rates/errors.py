class RateBegun(Exception):
    """The rate is in force or was: what was charged by it stays explained by it."""
