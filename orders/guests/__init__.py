"""Orders of people without an account: the link to them goes to their mailbox and nowhere else."""
