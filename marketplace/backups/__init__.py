"""Backups of data and of keys, apart; restoring them, and what was erased since stays erased."""
