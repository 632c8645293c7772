"""Log entries that stay out of a person's own page until a day, because two people decided it: USE-3, PROTECT-3."""
