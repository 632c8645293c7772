"""Permissions given and withdrawn, with the exact words shown: COLLECT-3, RIGHTS-4."""
