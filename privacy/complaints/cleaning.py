"""Takes out of a file what its sender did not mean to send; runs alone, as a process with little of everything (COLLECT-1, RIGHTS-5).

Whoever may send files may send one that was made to break what reads it. So the libraries that read pictures and
documents never run inside the site: this program gets the bytes on its standard input, has no key, no
environment, no file to write to, little memory and little time, and answers with clean bytes or with one word.
It imports nothing of the site.
"""

from __future__ import annotations

import io
import resource
import sys

MEMORY = 1024**3
SECONDS = 20
MAX_PIXELS = 25_000_000
MAX_PAGES = 200
DECODED_MAX = 64 * 1024 * 1024
TEXT_CONTROLS = set(range(32)) - {9, 10, 13} | {127}
PICTURES = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}
KEPT_PAGE_KEYS = frozenset(
    {
        "/Type",
        "/Parent",
        "/MediaBox",
        "/CropBox",
        "/BleedBox",
        "/TrimBox",
        "/ArtBox",
        "/Rotate",
        "/UserUnit",
        "/Resources",
        "/Contents",
        "/Group",
    }
)
HIDDEN_KEYS = ("/Metadata", "/PieceInfo", "/LastModified", "/AF", "/OPI", "/Alternates", "/Measure", "/PtData")

EMPTY, UNKNOWN, DAMAGED, TOO_MANY_PIXELS = "empty", "unknown", "damaged", "pixels"


class Refused(Exception):
    """``word`` says why."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def kind_of(content: bytes) -> str:
    """What the bytes are, whatever they are called. Raises Refused for what we do not take."""
    if not content:
        raise Refused(EMPTY)
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    if content.startswith(b"%PDF-"):
        return "pdf"
    if _is_text(content):
        return "text"
    raise Refused(UNKNOWN)


def clean(content: bytes) -> tuple[str, bytes]:
    """The kind of file, and new bytes that hold what it shows and nothing else. Raises Refused."""
    kind = kind_of(content)
    if kind == "text":
        return kind, content.removeprefix(b"\xef\xbb\xbf")
    return kind, _clean_document(content) if kind == "pdf" else _redraw(content, kind)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return not TEXT_CONTROLS.intersection(content)


def _redraw(content: bytes, kind: str) -> bytes:
    """The pixels of the first frame on a new canvas: no EXIF, no place, no thumbnail, no second file behind it."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # asked below, before a single pixel is decoded
    try:
        with Image.open(io.BytesIO(content), formats=[PICTURES[kind]]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Refused(TOO_MANY_PIXELS)
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            has_holes = kind != "jpeg" and (upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info)
            plain = upright.convert("RGBA" if has_holes else "RGB")
            canvas = Image.new(plain.mode, plain.size)
            canvas.paste(plain)
        out = io.BytesIO()
        canvas.save(out, PICTURES[kind], **({} if kind == "png" else {"quality": 90}))
    except Refused:
        raise
    except Exception as error:  # the libraries raise whatever a broken file makes them raise
        raise Refused(DAMAGED) from error
    return out.getvalue()


def _clean_document(content: bytes) -> bytes:
    """The pages in a new document: what they show stays, what they do, carry or tell beside it goes."""
    import pikepdf

    pikepdf.settings.set_qpdf_limits(flate_max_memory=DECODED_MAX, dct_max_memory=DECODED_MAX, run_length_max_memory=DECODED_MAX)
    try:
        with pikepdf.open(io.BytesIO(content)) as source, pikepdf.new() as target:
            if not 0 < len(source.pages) <= MAX_PAGES:
                raise Refused(DAMAGED)
            # What forms and comments look like becomes part of the page, so that it is seen when they themselves go.
            source.generate_appearance_streams()
            source.flatten_annotations("all")
            for page in source.pages:
                for key in set(page.obj.keys()) - KEPT_PAGE_KEYS:
                    del page.obj[key]
            target.pages.extend(source.pages)
            for thing in target.objects:
                _strip(thing)
            out = io.BytesIO()
            target.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, fix_metadata_version=False)
    except Refused:
        raise
    except Exception as error:
        raise Refused(DAMAGED) from error
    return out.getvalue()


def _strip(thing: object) -> None:
    import pikepdf

    if not isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        return
    for key in HIDDEN_KEYS:
        if key in thing:
            del thing[key]
    if isinstance(thing, pikepdf.Stream) and thing.get("/Filter") == pikepdf.Name.DCTDecode:
        thing.write(without_metadata(thing.read_raw_bytes()), filter=pikepdf.Name.DCTDecode, decode_parms=thing.get("/DecodeParms"))  # type: ignore[arg-type]


def without_metadata(jpeg: bytes) -> bytes:
    """A JPEG without its APP1 to APP13, APP15 and comment segments (Exif, XMP, IPTC); APP0 and APP14 say how to draw it."""
    if not jpeg.startswith(b"\xff\xd8"):
        raise Refused(DAMAGED)
    kept, place = bytearray(b"\xff\xd8"), 2
    while place + 4 <= len(jpeg) and jpeg[place] == 0xFF:
        marker, length = jpeg[place + 1], int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if marker == 0xDA:  # the picture itself begins
            return bytes(kept + jpeg[place:])
        if not (0xE1 <= marker <= 0xED or marker in (0xEF, 0xFE)):
            kept += jpeg[place : place + 2 + length]
        place += 2 + length
    raise Refused(DAMAGED)


def confine() -> None:
    """No file is written, no dump is left, and neither memory nor time is taken from the site."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def main() -> int:
    confine()
    try:
        kind, cleaned = clean(sys.stdin.buffer.read())
    except Refused as refused:
        kind, cleaned = "", refused.word.encode()
    sys.stdout.buffer.write(f"{kind}\n".encode() + cleaned)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
