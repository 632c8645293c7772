"""JSON, in which a sealed value that nobody opened prints as its mask."""

from __future__ import annotations

from typing import Any

from rest_framework import renderers
from rest_framework.utils.encoders import JSONEncoder

from privacy.vault.sealed import Sealed


class MaskingEncoder(JSONEncoder):
    def default(self, obj: Any) -> Any:
        return str(obj) if isinstance(obj, Sealed) else super().default(obj)


class JSONRenderer(renderers.JSONRenderer):
    encoder_class = MaskingEncoder
    charset = None
