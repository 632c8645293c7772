import re
from xml.etree import ElementTree

import pytest

from orders.pictures import KINDS, picture_svg


@pytest.mark.parametrize("kind", KINDS)
def test_picture_svg_is_well_formed_and_the_same_each_time(kind):
    first = picture_svg("harbor", kind, 205)

    assert ElementTree.fromstring(first).get("viewBox") == "0 0 600 600"
    assert picture_svg("harbor", kind, 205) == first
    assert picture_svg("harbor", kind, 206) != first


@pytest.mark.parametrize("kind", KINDS)
def test_picture_svg_passes_the_strictest_content_policy(kind):
    picture = picture_svg("harbor", kind, 205)

    addresses = re.findall(r"(?:https?:|data:|url\(|href)[^\"]*", picture)
    assert addresses == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<style|style=|<script|\son\w+=|\sid=", picture)


def test_picture_svg_never_carries_the_slug():
    assert "<script>" not in picture_svg("<script>alert(1)</script>", "mug", 1)


def test_picture_svg_unknown_kind():
    with pytest.raises(KeyError):
        picture_svg("harbor", "spaceship", 205)
