"""Files that people send: known by their content, and rid of what is hidden in them."""

import subprocess
import sys
import time
import zlib
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from privacy.complaints import cleaning
from privacy.complaints.attachments import MAX_BYTES, clean_file
from privacy.complaints.errors import FileDamaged, FileEmpty, FileOfUnknownType, FileTooLarge, PictureTooLarge
from tests.privacy.complaints.people import picture

pytestmark = pytest.mark.promise("COLLECT-1")

PLACE = {ExifTags.GPS.GPSLatitude: (52.0, 31.0, 12.0), ExifTags.GPS.GPSLatitudeRef: "N"}


def photo(kind="JPEG", turned=1):
    """A picture that says where it was taken, and by whose camera."""
    image = Image.new("RGB", (40, 20), "teal")
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "MarkerCamera"
    exif[ExifTags.Base.Orientation] = turned
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(PLACE)
    out = BytesIO()
    image.save(out, kind, exif=exif)
    return out.getvalue()


def document(**tricks):
    """A PDF of one page that does and carries what PDFs should not."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(200, 200))
    page = pdf.pages[0]
    page.Contents = pdf.make_stream(b"BT (shown words) Tj ET /Im0 Do")
    script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert('MarkerScript')"))
    pdf.Root.OpenAction = script
    pdf.Root.AA = pikepdf.Dictionary(WC=script)
    page.AA = pikepdf.Dictionary(O=script)
    link = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Link,
        Rect=[0, 0, 50, 50],
        A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://marker.example/")),
    )
    page.Annots = pdf.make_indirect([link])
    pdf.attachments["marker.exe"] = b"MarkerEmbedded"
    with pdf.open_metadata() as meta:
        meta["dc:creator"] = ["MarkerAuthor"]
    pdf.docinfo["/Author"] = "MarkerAuthor"
    picture_stream = pdf.make_stream(photo())
    picture_stream.Type, picture_stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    picture_stream.Width, picture_stream.Height, picture_stream.BitsPerComponent = 40, 20, 8
    picture_stream.ColorSpace, picture_stream.Filter = pikepdf.Name.DeviceRGB, pikepdf.Name.DCTDecode
    picture_stream.Metadata = pdf.make_stream(b"<x>MarkerXmp</x>")
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=picture_stream))
    out = BytesIO()
    pdf.save(out, **tricks)
    return out.getvalue()


def flat(pdf: bytes) -> bytes:
    """Everything in a PDF, uncompressed."""
    with pikepdf.open(BytesIO(pdf)) as opened:
        parts = [b"".join(repr(thing).encode() for thing in opened.objects)]
        for thing in opened.objects:
            if isinstance(thing, pikepdf.Stream):
                try:
                    parts.append(thing.read_bytes())
                except pikepdf.PdfError:
                    parts.append(thing.read_raw_bytes())
        return b"\n".join(parts)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_loses_its_place_and_camera(kind):
    before = photo(kind)
    assert b"MarkerCamera" in before
    assert Image.open(BytesIO(before)).getexif().get_ifd(ExifTags.IFD.GPSInfo)

    cleaned = clean_file("holiday.jpg", before)

    after = Image.open(BytesIO(cleaned.content))
    assert after.format == kind
    assert b"MarkerCamera" not in cleaned.content
    assert not after.getexif()
    assert not after.getexif().get_ifd(ExifTags.IFD.GPSInfo)


def test_a_picture_that_was_turned_stays_upright():
    cleaned = clean_file("x", photo(turned=6))

    assert Image.open(BytesIO(cleaned.content)).size == (20, 40)


def test_what_is_written_into_a_picture_goes():
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", "MarkerAuthor")
    words.add_itxt("XML:com.adobe.xmp", "<x>MarkerXmp</x>")

    cleaned = clean_file("x.png", picture("PNG", pnginfo=words))

    assert b"Marker" not in cleaned.content


@pytest.mark.parametrize("tail", [b"<script>alert('Marker')</script>", b"PK\x03\x04Marker", b"%PDF-1.4 Marker"])
def test_a_picture_with_a_second_file_behind_it_is_a_picture_alone(tail):
    for kind in ("JPEG", "PNG"):
        cleaned = clean_file("x.html", picture(kind) + tail)

        assert cleaned.kind == kind.lower()
        assert b"Marker" not in cleaned.content


@pytest.mark.parametrize(("content", "kind"), [(picture("PNG"), "png"), (b"plain words", "text"), (b"<html><script>1</script>", "text")])
@pytest.mark.parametrize("name", ["bill.pdf", "bill.exe", "bill.html", ""])
def test_the_name_says_nothing(content, kind, name):
    assert clean_file(name, content).kind == kind


@pytest.mark.parametrize(
    "content", [b"GIF89a\x01\x00\x01\x00", b"MZ\x90\x00", b"PK\x03\x04\x00", b"\x7fELF", b"words\x00words", b"\xff\xfew\x00"]
)
def test_what_we_do_not_take_is_refused(content):
    with pytest.raises(FileOfUnknownType):
        clean_file("bill.pdf", content)


def test_nothing_is_refused():
    with pytest.raises(FileEmpty):
        clean_file("x.txt", b"")


def test_six_megabytes_are_refused():
    with pytest.raises(FileTooLarge):
        clean_file("x.txt", b"a" * (MAX_BYTES + 1))


def bomb(width, height):
    """A PNG of a few hundred bytes that says it is that large."""

    def chunk(name, data):
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\x00" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [5001, 50_000, 2_000_000])
def test_a_picture_of_too_many_pixels_is_refused_unread(side):
    with pytest.raises(PictureTooLarge):
        clean_file("x.png", bomb(side, side))


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\xff\xe0", picture()[:200], b"\x89PNG\r\n\x1a\nno", b"RIFF1234WEBPno", b"%PDF-1.7\nno", b"%PDF-"]
)
def test_what_is_broken_is_refused(content):
    with pytest.raises(FileDamaged):
        clean_file("x", content)


def test_a_document_does_and_carries_nothing_any_more():
    before = document()
    assert b"MarkerScript" in flat(before)
    assert b"MarkerCamera" in flat(before)

    cleaned = clean_file("bill.pdf", before)

    after = flat(cleaned.content)
    assert cleaned.kind == "pdf"
    assert b"shown words" in after
    assert b"Marker" not in after
    assert b"marker" not in after
    for word in (b"JavaScript", b"OpenAction", b"/AA", b"/URI", b"EmbeddedFile", b"/Annots"):
        assert word not in after
    with pikepdf.open(BytesIO(cleaned.content)) as pdf:
        assert len(pdf.pages) == 1
        assert not pdf.attachments
        assert "/Info" not in pdf.trailer


def test_a_picture_in_a_document_still_shows():
    with pikepdf.open(BytesIO(clean_file("x", document()).content)) as pdf:
        (image,) = pdf.pages[0].get_images().values()
        assert Image.open(BytesIO(image.read_raw_bytes())).size == (40, 20)


def test_a_document_with_a_password_is_refused():
    with pytest.raises(FileDamaged):
        clean_file("x.pdf", document(encryption=pikepdf.Encryption(owner="a", user="b")))


def test_a_document_that_unfolds_to_gigabytes_is_refused_and_takes_no_time():
    press = zlib.compressobj(9)
    unfolded = b"".join(press.compress(b"0 " * 512 * 1024) for _ in range(200)) + press.flush()
    heavy = zlib.compress(unfolded, 9)
    bomb_of_objects = (
        b"%PDF-1.5\n1 0 obj<</Type/ObjStm/N 1/First 4/Filter[/FlateDecode/FlateDecode]/Length "
        + str(len(heavy)).encode()
        + b">>stream\n"
        + heavy
        + b"\nendstream endobj\n2 0 obj<</Type/Catalog/Pages 3 0 R>>endobj\n3 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        b"trailer<</Root 2 0 R/Size 4>>\n%%EOF"
    )
    began = time.monotonic()

    with pytest.raises(FileDamaged):
        clean_file("x.pdf", bomb_of_objects)

    assert time.monotonic() - began < 30


@pytest.mark.promise("PROTECT-1")
def test_the_cleaner_can_write_no_file(tmp_path):
    program = "import sys; sys.path.insert(0, sys.argv[1]); import cleaning; cleaning.confine(); open(sys.argv[2], 'wb', 0).write(b'x')"

    ran = subprocess.run(
        [sys.executable, "-I", "-c", program, str(Path(cleaning.__file__).parent), str(tmp_path / "file")],
        env={}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "File too large" in ran.stderr
    assert (tmp_path / "file").stat().st_size == 0


@pytest.mark.promise("PROTECT-1")
def test_the_cleaner_is_told_nothing_and_is_a_program_of_its_own(monkeypatch):
    given = {}
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *args, **how: given.update(how, program=args[0]) or run(*args, **how))

    clean_file("name.txt", b"words")

    assert given["env"] == {}
    assert given["program"][0] == sys.executable
    assert "name.txt" not in given["program"]
    source = Path(cleaning.__file__).read_text()
    assert not [
        line for line in source.splitlines() if line.strip().startswith(("from privacy", "from audit", "import django", "from django"))
    ]
