"""Records go when their declared lifetime is over, and nothing goes early: CHANGE-3, CHANGE-4, RIGHTS-8."""
