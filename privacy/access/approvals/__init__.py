"""Acts that one person of the staff asks for and another approves: COLLECT-5, PROTECT-3."""
