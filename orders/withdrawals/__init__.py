"""The buyer's right to cancel a purchase: declared in two steps, acknowledged at once, then goods and money go back."""
