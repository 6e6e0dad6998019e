"""How an answer leaves: bytes encoded once, a strong ETag over them, 304 for who has them already."""

import hashlib
from typing import Any

import msgspec
from fastapi import Request, Response

JSON = "application/json"


def etag(body: bytes) -> str:
    """A strong entity tag of a body."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def json(request: Request, value: Any) -> Response:
    """A record (or anything msgspec encodes) as an answer that can be asked for again cheaply."""
    body = msgspec.json.encode(value)
    return encoded(request, body, etag(body))


def encoded(request: Request, body: bytes, tag: str) -> Response:
    """A body, or 304 when the client names its tag."""
    wanted = request.headers.get("if-none-match")
    if wanted is not None and _names(wanted, tag):
        return Response(status_code=304, headers={"etag": tag})
    return Response(body, headers={"etag": tag}, media_type=JSON)


def _names(wanted: str, tag: str) -> bool:
    return wanted.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in wanted.split(","))
