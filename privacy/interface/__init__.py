"""The floor under every room's ``api``: what a program may send is closed, what it gets is sealed (COLLECT-3, PROTECT-4)."""
