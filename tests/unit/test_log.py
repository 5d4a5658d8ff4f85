"""What may stand in a log line: nothing that somebody typed, said, or is."""

import ast
import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pydantic
import pytest
import structlog

import hub
from hub import log
from hub.errors import StartError
from schemas.codec import Malformed

NAME, PHONE, PLACE, SECRET = "王秀英", "13812345678", 31.234567, "s3cret-topsecret"


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """Everything logged, as it would be written."""
    file, found = io.StringIO(), list[dict[str, Any]]()
    handlers, level, hooks = logging.getLogger().handlers[:], logging.getLogger().level, (
        sys.excepthook, sys.unraisablehook,
    )  # fmt: skip
    log.configure_logging(file)
    yield found
    found += [json.loads(line) for line in file.getvalue().splitlines()]
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    logging.captureWarnings(capture=False)
    sys.excepthook, sys.unraisablehook = hooks
    structlog.reset_defaults()
    text = file.getvalue()
    assert found, "nothing was logged"
    for marked in (NAME, PHONE, str(PLACE), SECRET):
        assert marked not in text
        assert json.dumps(marked)[1:-1] not in text


class Inner(pydantic.BaseModel):
    """Something an API is sent."""

    age: int


def test_values_under_any_key_are_withheld(lines: list[dict[str, Any]]) -> None:
    logger = structlog.get_logger("test")
    logger.info("registered", name=NAME, phone=PHONE, latitude=PLACE, count=3, error=NAME)
    logger.info("told", reason=f"call {PHONE}", why=f"at {PLACE}", text=NAME, devices=NAME)
    event = f"said {NAME}"
    logger.info(event)
    logger.info("kept", folder=Path("/srv/hub"), child="worker", applied=["0001_ground.sql"],
                incident_id="0123456789abcdef", topic="desk/stats")  # fmt: skip


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"{NAME} {PHONE}"),
        psycopg.errors.CheckViolation(f"new row violates\nDETAIL: Failing row contains ({NAME})"),
        Malformed(f"unknown field {SECRET}"),
        ExceptionGroup(f"of {NAME}", [KeyError(NAME)]),
        StartError(f"cannot read {SECRET}"),
    ],
)
def test_an_exception_is_its_type_and_place(error: Exception, lines: list[dict[str, Any]]) -> None:
    try:
        raise error
    except Exception:  # noqa: BLE001 - whatever it is
        structlog.get_logger("test").exception("failed", error=error)
        structlog.get_logger("test").error("failed", error=repr(error))
    logging.getLogger("somebody").error("it broke with %s", error, exc_info=error)
    logging.getLogger("somebody").error("".join(("it broke with", str(error))))
    sys.excepthook(type(error), error, error.__traceback__)


def test_what_was_typed_is_not_in_a_validation_error(lines: list[dict[str, Any]]) -> None:
    try:
        Inner.model_validate({"age": NAME})
    except pydantic.ValidationError as error:
        structlog.get_logger("test").exception("failed", error=error, reason=str(error))


def test_a_line_still_says_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    file = io.StringIO()
    log.configure_logging(file)
    try:
        structlog.get_logger("t").warning(
            "alarm_commit_failed", error=psycopg.OperationalError("x"), waiting=3
        )
        structlog.get_logger("t").warning(
            "child_state", child="worker", last_exit="exit 1", pid=None
        )
    finally:
        structlog.reset_defaults()
        logging.captureWarnings(capture=False)
        logging.getLogger().handlers[:] = []
        sys.excepthook, sys.unraisablehook = sys.__excepthook__, sys.__unraisablehook__
    one, two = (json.loads(line) for line in file.getvalue().splitlines())
    assert (one["event"], one["error"], one["waiting"]) == (
        "alarm_commit_failed", "OperationalError", 3,
    )  # fmt: skip
    assert (two["child"], two["last_exit"], two["pid"]) == ("worker", "exit 1", None)


def calls() -> Iterator[tuple[str, int, ast.Call]]:
    """Every log call of the hub."""
    root = Path(hub.__file__).parent
    for path in sorted(root.rglob("*.py")):
        if "/web/" in str(path) or "/evaluate/" in str(path):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "_log"
            ):
                yield str(path.relative_to(root)), node.lineno, node


def test_every_log_call_uses_known_keys() -> None:
    unknown = [
        f"hub/{path}:{line}: {keyword.arg}"
        for path, line, call in calls()
        for keyword in call.keywords
        if keyword.arg is not None and keyword.arg not in {*log.KEYS, "exc_info"}
    ]
    assert not unknown, "add them to KEYS of hub/log.py, with their shape, or call them otherwise"


def test_every_event_is_a_fixed_word() -> None:
    loose = [
        f"hub/{path}:{line}"
        for path, line, call in calls()
        if not all(
            isinstance(part, ast.Constant) and re.fullmatch(r"[a-z_]+", str(part.value))
            for argument in call.args[:1]
            for part in (
                (argument.body, argument.orelse) if isinstance(argument, ast.IfExp) else (argument,)
            )
        )
    ]
    assert not loose, "an event is a fixed name; what varies is a key"
