"""The pages on which people use their rights, signed in (RIGHTS-6)."""
