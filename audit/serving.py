"""Keeps USE-3: everybody can fetch the log's checkpoint, its tiles and its leaves, and check them (C2SP tlog-tiles)."""

import re
from collections.abc import Callable
from hashlib import sha256

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from audit import tiles
from audit.checkpoints import cosigned_note, newest_checkpoint
from audit.notes import encode
from audit.proofs import consistency_proof
from audit.tiles import HIGHEST_LEVEL, WIDTH

PREFIX = "/log/"

_NUMBER = r"(?P<number>(?:x(?!000/)[0-9]{3}/(?:x[0-9]{3}/){0,3})?[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
_TILE = re.compile(rf"tile/(?P<level>entries|0|[1-9][0-9]?)/{_NUMBER}", re.ASCII)
_CONSISTENCY = re.compile(r"consistency/(?P<old>[1-9][0-9]{0,17})/(?P<new>[1-9][0-9]{0,17})", re.ASCII)

_FOREVER = "public, max-age=31536000, immutable"
_FOR_SECONDS = "public, max-age=5"


class LogFilesMiddleware:
    """Answers before sessions and languages: nothing is read about who asks, and nothing is set.

    Behind the middleware of the gate, whose login may read the tree and nothing of people.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        place = request.path_info.removeprefix(PREFIX)
        if place != "checkpoint" and not place.startswith(("tile/", "consistency/")):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = _file(place) or _plain("Not found\n", status=404)
        response._has_been_logged = True  # type: ignore[attr-defined]  # readers ask for tiles that are not there yet
        response.headers.setdefault("Cache-Control", _FOR_SECONDS)
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["ETag"] = quote_etag(sha256(response.content).hexdigest()[:32])
        return get_conditional_response(request, etag=response.headers["ETag"], response=response) or response


def tile_path(level: int | str, number: int, width: int = WIDTH) -> str:
    """The address of a tile below PREFIX; `level` is "entries" for the leaves themselves."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    return f"tile/{level}/{'/'.join(groups)}" + ("" if width == WIDTH else f".p/{width}")


def _file(place: str) -> HttpResponse | None:
    if place == "checkpoint":
        return _checkpoint()
    if match := _TILE.fullmatch(place):
        return _tile(match["level"], int(re.sub("[x/]", "", match["number"])), int(match["width"] or 0))
    if match := _CONSISTENCY.fullmatch(place):
        return _consistency(int(match["old"]), int(match["new"]))
    return None


def _checkpoint() -> HttpResponse | None:
    newest = newest_checkpoint()
    return _plain(cosigned_note(newest)) if newest else None


def _tile(level: str, number: int, width: int) -> HttpResponse | None:
    """Width 0 is the full tile. A partial tile keeps its address for good: its bytes are the beginning of the full one's."""
    if width >= WIDTH or (level != "entries" and int(level) > HIGHEST_LEVEL) or number >= 1 << 50:
        return None
    data = tiles.entries(number, width or WIDTH) if level == "entries" else tiles.tile(int(level), number, width or WIDTH)
    if data is None:
        return None
    return HttpResponse(data, content_type="application/octet-stream", headers={"Cache-Control": _FOREVER})


def _consistency(old_size: int, size: int) -> HttpResponse | None:
    """Beyond C2SP, for those who have no tools: the proof as lines, for the verifier and by hand."""
    newest = newest_checkpoint()
    if newest is None or not old_size <= size <= newest.size:
        return None
    lines = "".join(f"{encode(each)}\n" for each in consistency_proof(old_size, size))
    response = _plain(lines)
    response.headers["Cache-Control"] = _FOREVER
    return response


def _plain(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)
