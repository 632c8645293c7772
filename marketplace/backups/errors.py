class BackupFailed(Exception):
    """A backup was not made; nothing half-made is left under its final name."""


class RestoreRefused(Exception):
    """Nothing was changed: the backup is damaged, its keys are not here, or there is something in its place."""
