"""Every error as application/problem+json (RFC 9457): a sentence for a human, no internals."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hub.desk import DatabaseAway

RETRY_AFTER_S = 2
"""Until the next look whether the database or the broker is back."""

_log = structlog.get_logger("hub.api")


class ProblemResponse(JSONResponse):
    """The media type says that the body is a problem."""

    media_type = "application/problem+json"


class Problem(HTTPException):
    """What went wrong with a request; `more` are extra members of the problem object."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        headers: dict[str, str] | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(status, title, headers)
        self.title = title
        self.explanation = detail
        self.more = more or {}

    def response(self) -> ProblemResponse:
        """As it goes out."""
        return problem_response(
            self.status_code, self.title, self.explanation, headers=self.headers, more=self.more
        )


def later(title: str, detail: str, **more: Any) -> Problem:
    """503: the same request may succeed soon without anybody changing anything."""
    return Problem(503, title, detail, headers={"Retry-After": str(RETRY_AFTER_S)}, more=more)


def problem_response(
    status: int,
    title: str,
    detail: str = "",
    *,
    headers: Any = None,
    more: dict[str, Any] | None = None,
) -> ProblemResponse:
    """A problem without an exception."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return ProblemResponse(body | (more or {}), status_code=status, headers=headers)


def install(app: FastAPI) -> None:
    """Answer every expected error of the routes; what nobody expects is caught at the border."""
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(DatabaseAway, _database_away)


async def _http_problem(_request: Request, error: Exception) -> ProblemResponse:
    if isinstance(error, Problem):
        return error.response()
    if not isinstance(error, HTTPException):
        raise error
    title = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != title else ""
    return problem_response(error.status_code, title, detail, headers=error.headers)


async def _malformed(_request: Request, error: Exception) -> ProblemResponse:
    """What was wrong and where, but not what was sent: that may be a password."""
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        {"where": ".".join(str(part) for part in e["loc"]), "message": e["msg"]}
        for e in error.errors()
    ]
    detail = "; ".join(f"{e['where']}: {e['message']}" for e in errors[:5])
    return problem_response(422, "The request makes no sense", detail, more={"errors": errors})


async def _database_away(_request: Request, _error: Exception) -> ProblemResponse:
    return later(
        "The database does not answer just now",
        "Open incidents and what is done to them go on without it. Try again.",
    ).response()
