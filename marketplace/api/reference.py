"""The schema as people read it: by area, each call with what it takes, what it gives, and how to try it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.text import slugify

Schema = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Field:
    """One parameter or one field of a body; those inside another are named with a dot."""

    name: str
    kind: str
    is_required: bool
    about: str


@dataclass(frozen=True)
class Operation:
    """One call. ``needs_token``: a program may make it."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Field]
    takes: list[Field]
    gives: list[Field]
    refusals: list[str]
    needs_token: bool
    example: str


def operations_by_tag(document: Schema) -> dict[str, list[Operation]]:
    """In the order of the addresses, the public ones first."""
    groups: dict[str, list[Operation]] = {}
    for address, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                groups.setdefault(methods[method]["tags"][0], []).append(_operation(document, address, method, methods[method]))
    return dict(sorted(groups.items(), key=lambda group: group[0] != "Public"))


def _operation(document: Schema, address: str, method: str, raw: Schema) -> Operation:
    body = _content(raw.get("requestBody", {}))
    return Operation(
        anchor=slugify(raw["operationId"]),
        method=method.upper(),
        path=address,
        summary=raw.get("summary", ""),
        description=raw.get("description", "").replace("`", ""),
        parameters=[_parameter(parameter) for parameter in raw.get("parameters", [])],
        takes=list(_fields(document, body)) if body else [],
        gives=list(_fields(document, _given(raw["responses"]))),
        refusals=[code for code in raw["responses"] if code >= "400"],
        needs_token=any("token" in way for way in raw.get("security", [])),
        example=_example(document, address, method, raw, body),
    )


def _content(holder: Schema) -> Schema:
    """The schema of a body, whatever its media type."""
    return next((media.get("schema", {}) for media in holder.get("content", {}).values()), {})


def _given(responses: Schema) -> Schema:
    return next((_content(response) for code, response in responses.items() if code < "300"), {})


def _parameter(raw: Schema) -> Field:
    where = {"path": "address", "query": "query", "header": "header"}.get(raw["in"], raw["in"])
    return Field(raw["name"], f"{_kind(raw['schema'])}, {where}", raw.get("required", False), raw.get("description", ""))


def _resolved(document: Schema, schema: Schema) -> Schema:
    """Follows a reference into the components."""
    for part in [*schema.get("allOf", []), *schema.get("oneOf", [])]:  # what may be empty stands there beside "null"
        return {**_resolved(document, part), **{key: value for key, value in schema.items() if key not in ("allOf", "oneOf")}}
    if "$ref" not in schema:
        return schema
    found: Any = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return _resolved(document, found)


def _fields(document: Schema, schema: Schema, before: str = "") -> Iterator[Field]:
    schema = _resolved(document, schema)
    if "items" in schema:
        yield from _fields(document, schema["items"], before)
        return
    required = schema.get("required", [])
    for name, raw in schema.get("properties", {}).items():
        inner = _resolved(document, raw)
        yield Field(
            before + name, _kind(inner), name in required, (raw.get("description") or inner.get("description", "")).replace("`", "")
        )
        if inner.get("type") in ("object", "array"):
            yield from _fields(document, inner, f"{before}{name}.")


def _kind(schema: Schema) -> str:
    kinds = schema.get("type", "string")
    names = [str({"string": "text", "null": "empty"}.get(kind, kind)) for kind in (kinds if isinstance(kinds, list) else [kinds])]
    if "enum" in schema:
        return "one of " + ", ".join(str(choice) or "(empty)" for choice in schema["enum"] if choice is not None)
    words = " or ".join(names)
    return " ".join(part for part in (words, f"({schema['format']})" if "format" in schema else "") if part)


def _example(document: Schema, address: str, method: str, raw: Schema, body: Schema) -> str:
    """A command line to try it with; what stands in angle brackets is the reader's to fill in."""
    parts = [f"curl {settings.SITE_URL}{address.replace('{', '<').replace('}', '>')}"]
    if method != "get":
        parts.append(f"-X {method.upper()}")
    if any("token" in way for way in raw.get("security", [])):
        parts.append('-H "Authorization: Bearer mkt_…"')
    if any(parameter["name"] == "Idempotency-Key" for parameter in raw.get("parameters", [])):
        parts.append('-H "Idempotency-Key: $(uuidgen)"')
    if body:
        names = [field.name for field in _fields(document, body) if field.is_required and "." not in field.name]
        parts.append(f"""-H "Content-Type: application/json" -d '{json.dumps(dict.fromkeys(names, "…"), ensure_ascii=False)}'""")
    return " \\\n  ".join(parts)
