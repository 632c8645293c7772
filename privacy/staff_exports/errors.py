"""Why an export is not made or not handed out (COLLECT-5)."""


class ExportError(Exception):
    """Base of all."""


class ExportsOff(ExportError):
    """This site makes no exports for staff."""


class NotYourExport(ExportError):
    """Only whoever asked for it downloads it, and only in the role they had then."""


class ExportNotReady(ExportError):
    """It is still being made, or its making failed."""


class ExportGone(ExportError):
    """Its time is over and the file is deleted."""


class TooMuch(ExportError):
    """It would hold more rows than an export may."""
