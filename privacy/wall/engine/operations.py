"""Where Django finds this backend's compilers (PROTECT-2)."""

from django.db.backends.postgresql import operations


class DatabaseOperations(operations.DatabaseOperations):
    compiler_module = "privacy.wall.engine.compiler"
