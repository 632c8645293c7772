"""A file on its way out: saved, never shown, and never run (RIGHTS-5, PROTECT-3)."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import StreamingHttpResponse

from privacy.complaints.models import TicketAttachment

Kind = TicketAttachment.Kind

TYPES: dict[str, str] = {
    Kind.JPEG: "image/jpeg",
    Kind.PNG: "image/png",
    Kind.WEBP: "image/webp",
    Kind.PDF: "application/pdf",
    Kind.TEXT: "text/plain; charset=utf-8",
}


def file_response(attachment: TicketAttachment, chunks: Iterator[bytes], name: str) -> StreamingHttpResponse:
    """Whatever a browser makes of the bytes, they can load nothing and do nothing in our name."""
    return StreamingHttpResponse(
        chunks,
        content_type=TYPES[attachment.kind],
        headers={
            "Content-Length": str(attachment.size),
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
        },
    )
