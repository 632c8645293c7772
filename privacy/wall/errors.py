"""What a program or a database does wrong at the wall (PROTECT-2)."""

from django.core.management import CommandError


class OutsideWall(Exception):
    """A query without a wall around it, or a change of login where none can be made. A fault of the program."""


class Undeclared(CommandError):
    """A model does not say on which side of the wall its table stands."""


class FoundationMissing(CommandError):
    """The database lacks what only its superuser can lay; the message says how."""


class RoleShared(CommandError):
    """Two logins, or a login and the owner, are the same role in the database, so that there is no wall between them."""
