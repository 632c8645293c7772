"""What people upload stays in memory until it is sealed: never a plain file on a disk (PROTECT-1)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

FILE_MAX = 5 * 1024 * 1024
REQUEST_MAX = 6 * FILE_MAX


class MemoryOnly(FileUploadHandler):
    """Keeps one byte more of a file than is taken, so that its form can tell it is too large, and drops the rest.

    Django's own handlers write whatever is larger than a few megabytes to a temporary file, in clear.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._room = REQUEST_MAX
        self._kept = BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._kept = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        room = min(FILE_MAX + 1 - self._kept.tell(), self._room)
        self._room -= self._kept.write(raw_data[: max(room, 0)])

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self._kept.seek(0)
        return InMemoryUploadedFile(
            self._kept, self.field_name, self.file_name, self.content_type, file_size, self.charset, self.content_type_extra
        )
