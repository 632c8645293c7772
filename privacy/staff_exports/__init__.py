"""Data of several people taken out by staff: off by default, never by one person alone: COLLECT-5, PROTECT-3."""
