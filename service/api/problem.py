"""What the door says when it cannot answer: problem+json with what was wrong, what is allowed and what is near."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from service.ledger import LedgerError
from service.model import Record

MEDIA_TYPE = "application/problem+json"


class ProblemDetails(Record, frozen=True, kw_only=True):
    """Why there is no answer (RFC 9457). `allowed` and `nearest` are empty where there is nothing to list."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    allowed: Sequence[str] = ()
    nearest: Sequence[str] = ()
    problems: Sequence[str] = ()


class Problem(Exception):  # noqa: N818  # the word of the standard
    """Raised anywhere behind a route to answer with a problem."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        allowed: Iterable[str] = (),
        near: Sequence[str] = (),
        problems: Iterable[str] = (),
    ) -> None:
        super().__init__(detail)
        self.details = ProblemDetails(
            title=HTTPStatus(status).phrase,
            status=status,
            detail=f"{detail}; did you mean {' or '.join(near)}?" if near else detail,
            allowed=list(allowed),
            nearest=near,
            problems=list(problems),
        )


def nearest(word: str, names: Iterable[str]) -> list[str]:
    """Up to three names like `word`, best first."""
    by_case = {name.lower(): name for name in names}
    return [by_case[found] for found in difflib.get_close_matches(word.lower(), by_case, 3)]


def install(app: FastAPI, doors: Sequence[str]) -> None:
    """Make every error of the app a problem. `doors` are the paths that exist."""

    def missing(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        path, allowed = request.url.path, [name for name in (error.headers or {}).get("Allow", "").split(", ") if name]
        if error.status_code == HTTPStatus.NOT_FOUND:
            return _answer(Problem(404, f"there is no {path} here", allowed=doors, near=nearest(path, doors)))
        detail = f"{request.method} {path}: {error.detail}"
        return _answer(Problem(error.status_code, detail, allowed=allowed), error.headers)

    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, missing)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(LedgerError, _store_down)
    app.add_exception_handler(Exception, _broken)


def _problem(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return _answer(error)


def _invalid(_request: Request, error: Exception) -> Response:
    return _answer(Problem(422, str(error)))


def _store_down(_request: Request, _error: Exception) -> Response:
    detail = "the ledger does not answer; orders are kept and nothing is lost, try again"
    return _answer(Problem(503, detail), {"Retry-After": "1"})


def _broken(_request: Request, _error: Exception) -> Response:
    return _answer(Problem(500, "the service made a mistake; its log has the details"))


def _answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    body = msgspec.json.encode(problem.details)
    return Response(body, problem.details.status, headers, media_type=MEDIA_TYPE)
