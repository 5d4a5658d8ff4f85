"""How log lines look, and what may stand in them.

For a human on a terminal, one JSON object a line everywhere else. Logs are copied, mailed and kept
by people who may not know whom the hub watches over, so nothing of a person is in them: no name,
number, address, position, secret or message. That is not left to the discipline of each call:
- only the keys of `KEYS` are written, each only in its shape; anything else is `withheld`;
- an exception is its type and where it happened, never its text: psycopg quotes rows in it,
  pydantic what was typed;
- what libraries and uncaught exceptions say passes the same gate.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import threading
import traceback
from enum import Enum, auto
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TextIO

import psycopg
import structlog

from hub.errors import HubError

if TYPE_CHECKING:
    from types import TracebackType

    from structlog.typing import EventDict, Processor, WrappedLogger

WITHHELD = "withheld"
FRAMES = 12
"""Of a traceback, the innermost ones: where it broke and who asked."""


class Shape(Enum):
    """What a value may look like."""

    NUMBER = auto()
    """A count, a size, a duration: never something somebody typed."""
    WORD = auto()
    """A name of ours: a state, a loop, a route, an id the hub made."""
    PATH = auto()
    """A file or folder of the hub."""
    WORDS = auto()
    """Several names of ours."""
    ERROR = auto()
    """An exception, or the name of its type."""


KEYS: dict[str, Shape] = {
    **dict.fromkeys(
        ("account_devices", "alarms", "attempts", "bytes", "cycles", "deadlines", "detectors",
         "devices", "dropped", "duration_s", "kept", "episodes", "failures", "incidents", "lag_s",
         "lines", "homes", "without",
         "messages", "observations", "partitions", "people", "pid", "premises", "replayed",
         "restarts", "rows", "seconds", "shard", "shards", "size_bytes", "states", "took_s",
         "topic_length", "uptime_s", "waited_s", "waiting", "max_age_s", "max_bytes", "max_msgs",
         "admitted", "connections", "refused", "count", "open_incidents", "status", "within_s",
         "notification_id", "place"),
        Shape.NUMBER,
    ),
    **dict.fromkeys(
        ("action", "area_id", "broker", "cause", "channel", "child", "client_id", "detector",
         "device",
         "effect", "incident_id", "kind", "lane", "last_exit", "level", "logger", "loop", "method",
         "name", "noun", "owner", "part", "permission", "reason", "route", "setting", "sqlstate",
         "state", "step", "table", "topic", "why", "version", "at", "event", "where", "days",
         "buckets", "engine", "feature", "head", "host", "instead", "problem", "advice", "rule",
         "time_zone", "zone"),
        Shape.WORD,
    ),
    **dict.fromkeys(("file", "folder", "path"), Shape.PATH),
    **dict.fromkeys(("applied", "owners", "areas", "settings"), Shape.WORDS),
    # The callout's answers, each counted under its name (hub.embedded.admission.Refusal).
    **dict.fromkeys(
        ("too_late", "not_ready", "wrong_credential", "revoked", "foreign_client_id"), Shape.NUMBER
    ),
    # How the broker's store is set (hub.embedded.message_store).
    **dict.fromkeys(("discard", "retention"), Shape.WORD),
    "error": Shape.ERROR,
}  # fmt: skip
"""Every key a log line may have. A new one is added here, with a thought about what is in it."""

_WORD = re.compile(r"/?[A-Za-z0-9$][\w./:+{}$-]{0,119}|[a-z][a-z0-9 ,;:'()_-]{0,159}")
"""One name of ours, or words in lower case, as our own reasons are."""
_PERSONAL = re.compile(r"\d{5,}|\d+\.\d{3,}|@")
"""Long numbers, fractions as fine as a position, addresses: not even inside words of ours."""
_HASH = re.compile(r"[0-9a-f]{16,64}|\d{4}_[a-z0-9_]+\.sql|\d{4}-\d\d-\d\dT[\d:.]+Z")
_TYPE = re.compile(r"([A-Za-z_][\w.]*)(?=$|\()")
_FROM_LIBRARIES = frozenset({
    "Task exception was never retrieved",
    "Task was destroyed but it is pending!",
    "Future exception was never retrieved",
    "Unhandled exception in event loop",
    "Exception in callback",
    "Exception in ASGI application",
    "Invalid HTTP request received.",
    "Unclosed transport",
})  # fmt: skip
"""What libraries say in so many words; of anything else only where it was said."""


class Vouched(str):
    """Words that somebody wrote into the code; not made from data."""

    __slots__ = ()


def configure_logging(file: TextIO | None = None) -> None:
    """Write to `file`, else to standard output; the supervisor leads a child's into
    `log/<child>.log`."""
    terminal = file is None and sys.stdout.isatty()
    shape: Processor = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            impersonal,
            shape,
        ],
        logger_factory=structlog.PrintLoggerFactory(file),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=file is None,
    )
    _take_over()


def impersonal(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """The gate: what is not known to be harmless does not pass."""
    raised = line.pop("exc_info", None)
    line.pop("stack_info", None)
    passed: EventDict = {key: _fit(key, value) for key, value in line.items()}
    if raised:
        passed["exception"] = told(raised)
    return passed


def told(raised: object) -> dict[str, Any]:
    """An exception without its text: its type, what caused it, and where."""
    error = raised if isinstance(raised, BaseException) else None
    if isinstance(raised, tuple) and len(raised) == 3:
        error = raised[1]
    elif raised is True:
        error = sys.exc_info()[1]
    if error is None:
        return {"error": "none"}
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    found: dict[str, Any] = {
        "error": named(error),
        "at": [f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in frames],
    }
    cause = error.__cause__ or error.__context__
    if cause is not None:
        found["cause"] = named(cause)
    if isinstance(error, BaseExceptionGroup):
        found["errors"] = [told(inner) for inner in error.exceptions[:3]]
    return found


def named(error: BaseException) -> str:
    """What an exception is, without what it says of data.

    >>> named(ValueError("Li Mei, 13800000000"))
    'ValueError'
    """
    name = type(error).__name__
    if isinstance(error, psycopg.Error):
        # Names of the schema, not values: which rule was broken, on which table.
        parts = (name, error.sqlstate, error.diag.table_name, error.diag.constraint_name)
        return " ".join(part for part in parts if part)
    if isinstance(error, HubError):
        return f"{name}: {(type(error).__doc__ or '').strip().splitlines()[0]}"
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    return name


def _fit(key: str, value: object) -> object:
    shape = KEYS.get(key)
    if shape is not None and isinstance(value, Vouched):
        return str(value)
    match shape:
        case Shape.NUMBER if value is None or isinstance(value, int | float):
            fit: object = value
        case Shape.WORD if value is None or isinstance(value, bool | int):
            fit = value
        case Shape.WORD if _harmless(str(value)):
            fit = str(value)
        case Shape.PATH:
            fit = str(value)
        case Shape.WORDS if isinstance(value, list | tuple | set | frozenset):
            fit = [str(v) if _harmless(str(v)) else WITHHELD for v in value]
        case Shape.ERROR if isinstance(value, BaseException):
            fit = named(value)
        case Shape.ERROR if (found := _TYPE.match(str(value))) is not None:
            fit = found[1]
        case _:
            fit = WITHHELD
    return fit


def _harmless(text: str) -> bool:
    if _HASH.fullmatch(text):
        return True
    return _WORD.fullmatch(text) is not None and text.isascii() and not _PERSONAL.search(text)


class _Gate(logging.Handler):
    """What libraries log through Python's own logging."""

    def emit(self, record: logging.LogRecord) -> None:
        said = str(record.msg).split("\n", 1)[0]
        known = bool(record.args) or said in _FROM_LIBRARIES
        structlog.get_logger("hub.log").log(
            record.levelno,
            "library_said",
            logger=record.name,
            why=Vouched(said[:120]) if known else WITHHELD,
            where=Vouched(f"{PurePath(record.pathname).name}:{record.lineno}"),
            exc_info=record.exc_info,
        )


def _take_over() -> None:
    """Uncaught exceptions and libraries end in our log, not as raw text beside it."""
    root = logging.getLogger()
    root.handlers[:] = [_Gate(logging.WARNING)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _crashed
    threading.excepthook = lambda args: _crashed(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )
    sys.unraisablehook = lambda args: _crashed(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )


def _crashed(
    kind: type[BaseException], error: BaseException, _traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt | asyncio.CancelledError):
        return
    structlog.get_logger("hub.log").critical("crashed", exc_info=error)
