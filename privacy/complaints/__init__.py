"""Messages and complaints, answered in a set time with a named outcome: RIGHTS-5, RIGHTS-9, USE-3."""
