"""Who may open what for which purpose, and the published policy: PROTECT-3, CHANGE-1, CHANGE-5."""
