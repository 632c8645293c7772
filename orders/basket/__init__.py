"""What a visitor means to buy: product ids and quantities in the session, nothing about the person."""
