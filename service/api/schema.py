"""The OpenAPI half of the answers: JSON schemas from the records themselves, and what each field means.

What a field means stands in meanings.py.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api import shapes
from service.api.meanings import MEANING
from service.api.problem import MEDIA_TYPE, ProblemDetails
from service.model import Alert, Context

_REF = "#/components/schemas/{name}"
SHAPES = (
    Alert,
    Context,
    shapes.Page,
    shapes.Window,
    shapes.Windows,
    shapes.Records,
    shapes.Beside,
    shapes.Episodes,
    shapes.Venues,
    shapes.BadFrames,
    shapes.Sinks,
    shapes.Health,
    shapes.Ready,
    shapes.Doors,
    ProblemDetails,
)


def described(*shapes: type, about: str, media: str = "application/json") -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with one of some records, or with a problem."""
    named = [{"$ref": _REF.format(name=shape.__name__)} for shape in shapes]
    return plain(about, media, named[0] if len(named) == 1 else {"oneOf": named})


def plain(about: str, media: str, schema: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route by an explicit schema."""
    problem = {"$ref": _REF.format(name="ProblemDetails")}
    return {
        200: {"description": about, "content": {media: {"schema": dict(schema)}}},
        "default": {"description": "What was wrong, what is allowed.", "content": {MEDIA_TYPE: {"schema": problem}}},
    }


def components() -> dict[str, Any]:
    """JSON schemas of every record that may leave, each field with its meaning."""
    _, found = msgspec.json.schema_components(SHAPES, ref_template=_REF)
    for schema in found.values():
        for name, field in schema.get("properties", {}).items():
            if name in MEANING:
                field.setdefault("description", MEANING[name])
    return found


def install(app: FastAPI) -> None:
    """Make the app describe its answers."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes, tags=TAGS
            )
            schema["paths"] = dict(sorted(schema["paths"].items()))  # a reader's order, not the router's
            schema.setdefault("components", {})["schemas"] = components()
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents


TAGS = [
    {"name": "alerts", "description": "What was said, and what is being said."},
    {"name": "market", "description": "What the market does."},
    {"name": "service", "description": "What the service does."},
]
