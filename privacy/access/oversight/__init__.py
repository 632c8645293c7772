"""Staff who open people's data are counted, watched and reviewed (PROTECT-2, PROTECT-3, USE-3)."""
