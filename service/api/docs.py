"""GET /docs: Swagger UI from files of the `fastapi-offline` wheel. No page of ours asks another host for anything."""

from importlib.resources import files

from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html

from service.api.problem import Problem

FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}


def routes(title: str) -> APIRouter:
    """The page and its two files; addresses are relative, so that a proxy may put the service under any path."""
    router = APIRouter(include_in_schema=False)
    static = files("fastapi_offline") / "static"

    @router.get("/docs")
    async def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=title,
            swagger_js_url="docs/swagger-ui-bundle.js",
            swagger_css_url="docs/swagger-ui.css",
            swagger_favicon_url="data:,",
            # validatorUrl: the page would otherwise send the address of our schema to its makers' validator
            swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
        )

    @router.get("/docs/{name}")
    def asset(name: str) -> Response:
        if name not in FILES:
            raise Problem(404, f"there is no {name[:40]} in /docs", allowed=FILES)
        content = (static / name).read_bytes()
        return Response(content, media_type=FILES[name], headers={"cache-control": "public, max-age=86400"})

    return router
