"""Mail to people: queued as rows, addressed and worded only at the moment of sending (PROTECT-1, COLLECT-4)."""
