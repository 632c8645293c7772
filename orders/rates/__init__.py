"""What the states and the carriers take, by country and from a day on."""
