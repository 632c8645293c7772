"""What the privacy of a value costs, measured beside something known in the same run."""
