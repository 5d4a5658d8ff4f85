"""Every error as application/problem+json (RFC 9457): a sentence for a human, no internals, in the
language that the request asks for (hub.api.problem_words)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hub.api.problem_words import in_chinese, malformed_in_chinese, wants_chinese, without_echo
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

    def response(self, *, chinese: bool = False) -> ProblemResponse:
        """As it goes out."""
        return problem_response(
            self.status_code, self.title, self.explanation, headers=self.headers, more=self.more,
            chinese=chinese,
        )  # fmt: skip


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
    chinese: bool = False,
) -> ProblemResponse:
    """A problem without an exception; both texts in English."""
    detail = without_echo(title, detail)
    if chinese:
        title, detail = in_chinese(title), in_chinese(detail)
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    answer = ProblemResponse(body | (more or {}), status_code=status, headers=headers)
    answer.headers["Content-Language"] = "zh-CN" if chinese else "en"
    return answer


def asked_in_chinese(headers: Mapping[str, str]) -> bool:
    """Whether whoever sent the request reads Chinese."""
    return wants_chinese(headers.get("accept-language", ""))


def install(app: FastAPI) -> None:
    """Answer every expected error of the routes; what nobody expects is caught at the border."""
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(DatabaseAway, _database_away)


async def _http_problem(request: Request, error: Exception) -> ProblemResponse:
    chinese = asked_in_chinese(request.headers)
    if isinstance(error, Problem):
        return error.response(chinese=chinese)
    if not isinstance(error, HTTPException):
        raise error
    title = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != title else ""
    return problem_response(
        error.status_code, title, detail, headers=error.headers, chinese=chinese
    )


async def _malformed(request: Request, error: Exception) -> ProblemResponse:
    """What was wrong and where, but not what was sent: that may be a password."""
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        {"where": ".".join(str(part) for part in e["loc"]), "message": e["msg"]}
        for e in error.errors()
    ]
    chinese = asked_in_chinese(request.headers)
    if chinese:
        detail = "；".join(malformed_in_chinese(e) for e in error.errors()[:5])
    else:
        detail = "; ".join(f"{e['where']}: {e['message']}" for e in errors[:5])
    return problem_response(
        422, "The request makes no sense", detail, more={"errors": errors}, chinese=chinese
    )


async def _database_away(request: Request, _error: Exception) -> ProblemResponse:
    return later(
        "The database does not answer just now",
        "Open incidents and what is done to them go on without it. Try again.",
    ).response(chinese=asked_in_chinese(request.headers))
