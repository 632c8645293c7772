"""What somebody has to look at now: raised by the program, closed by a person with an outcome (PROTECT-2, RIGHTS-9)."""
