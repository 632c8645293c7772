"""Who else receives data, under which agreement, and the one way out: USE-4, USE-5, USE-6."""
