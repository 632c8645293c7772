"""Pages of messages and complaints (RIGHTS-5)."""
