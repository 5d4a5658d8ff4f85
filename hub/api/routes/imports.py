"""The register by the file: look first what it would do, then let it."""

import tempfile
from collections.abc import Mapping
from typing import IO, Annotated

from fastapi import APIRouter, Query, Request

from hub.api.access import Deed, may
from hub.api.account_models import ImportChange, ImportMistake, ImportReport
from hub.api.gate import PartsOf, Registering
from hub.api.models import ProblemObject, Responses
from hub.api.problem_words import in_chinese
from hub.api.problems import Problem, asked_in_chinese, later
from hub.register_file import (
    CHINESE_HEADINGS,
    ImportOrder,
    ImportOvertaken,
    ImportRefused,
    ImportRuns,
    RowError,
)

router = APIRouter(prefix="/api/v1/imports", tags=["imports"])

IN_MEMORY_BYTES = 1024 * 1024
"""What is larger waits in a file."""

_READ: Responses = {
    409: {"model": ProblemObject, "description": "The register was changed meanwhile."},
    413: {"model": ProblemObject},
    422: {"model": ProblemObject, "description": "The file is no table of the register."},
    503: {"model": ProblemObject, "description": "Another import runs just now."},
}


@router.post(
    "/register",
    responses=_READ,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
async def import_register(
    request: Request,
    account: Registering,
    parts: PartsOf,
    *,
    commit: Annotated[bool, Query(description="False: only say what would happen.")] = False,
    skip_bad: Annotated[bool, Query(description="Commit without the rows that are wrong.")] = False,
) -> ImportReport:
    """Bring in a CSV of areas, homes, people, devices, responders and contacts
    (docs/how-to/register.md). Devices are for roles that may provision them.

    All of it is one transaction. With `commit` and a wrong row nothing happens, unless `skip_bad`.
    """
    order = ImportOrder(
        commit=commit,
        skip_bad=skip_bad,
        areas=parts.switchboard.tree.below(account.area_id),
        at=parts.clock.now(),
        provisions=may(account.role, Deed.PROVISION),
    )
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as content:
        await _receive(request, content)
        try:
            outcome = await parts.dependencies.imports.bring_in(content, order, account)
        except ImportRuns as error:
            raise later("Another import runs just now", str(error)) from None
        except ImportOvertaken as error:
            raise Problem(409, "The register was changed meanwhile", str(error)) from None
        except ImportRefused as error:
            raise Problem(422, "The file was not read", str(error)) from None
    if outcome.committed:
        parts.switchboard.plant(await parts.store.areas())
    chinese = asked_in_chinese(request.headers)
    words = (CHINESE_HEADINGS if chinese else {}) | dict(outcome.headings)
    return ImportReport(
        committed=outcome.committed,
        rows=outcome.rows,
        bad_rows=outcome.bad_rows,
        counts=outcome.counts,
        errors=[_mistake(error, words, chinese=chinese) for error in outcome.errors],
        error_count=outcome.error_count,
        changes=[
            ImportChange(
                row=c.row,
                kind=c.kind,
                id=c.id,
                action=c.action,
                columns=[words.get(column, column) for column in c.columns],
            )
            for c in outcome.changes
        ],
    )


def _mistake(error: RowError, words: Mapping[str, str], *, chinese: bool) -> ImportMistake:
    """In the words of whoever is to mend the file: a column is called as the file calls it."""
    allowed = in_chinese(error.allowed) if chinese else error.allowed
    column = words.get(error.column, error.column)
    return ImportMistake(row=error.row, column=column, value=error.value, allowed=allowed)


async def _receive(request: Request, content: IO[bytes]) -> None:
    """The border counts the bytes."""
    async for chunk in request.stream():
        content.write(chunk)
    content.seek(0)
