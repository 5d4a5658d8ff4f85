"""Brings a file into the register; implements `hub.api.ports.ImportStore`.

Rows are read as a stream into a temporary table; what they refer to, what differs and what becomes
of it are a handful of statements over that table. So the size of the file costs the database's
disk, not our memory, and looking and doing are the same work: a look is rolled back.
"""

import asyncio
import codecs
import csv
import io
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import IO, Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from alerts.people import Account
from hub.desk import DatabaseAway
from hub.register_file import (
    CHANGES_LIMIT,
    COLUMNS,
    ERRORS_LIMIT,
    Errors,
    ImportOrder,
    ImportOutcome,
    ImportOvertaken,
    ImportRefused,
    ImportRuns,
    ParsedRow,
    RowChange,
    RowError,
    heading_of,
    headings,
    rows,
)
from hub.register_nouns import CONTACTS_LIMIT, NOUNS, Level
from hub.store import queries

_SQL = queries.load("imports")
_LOCK = 0x696D_706F
"""Advisory lock key: `impo` in ASCII."""
CONNECT_TIMEOUT_S = 2
STATEMENT_TIMEOUT_S = 300
"""100,000 rows take seconds; whoever waits longer than this has another problem."""
CHUNK_BYTES = 1 << 16
_WITHHELD = sorted(set().union(*(noun.withheld for noun in NOUNS.values())) | {"secret_sha256"})

Cursor = psycopg.Cursor[dict[str, Any]]


class PostgresImports:
    """Files brought in on connections of their own: the desks' queries are not kept waiting."""

    def __init__(self, database_url: str, root_area_id: str) -> None:
        self._database_url = database_url
        self._root_area_id = root_area_id

    async def bring_in(
        self, content: IO[bytes], order: ImportOrder, account: Account
    ) -> ImportOutcome:
        """Raises ImportRefused, ImportRuns, DatabaseAway; then nothing was changed."""
        return await asyncio.to_thread(
            bring_in, self._database_url, self._root_area_id, content, order, account
        )


def bring_in(
    database_url: str,
    root_area_id: str,
    content: IO[bytes],
    order: ImportOrder,
    account: Account,
) -> ImportOutcome:
    """The same for the command line. Raises ImportRefused, ImportRuns, DatabaseAway."""
    errors = Errors()
    try:
        with (
            closing(_lines(content)) as lines,
            psycopg.connect(
                database_url,
                connect_timeout=CONNECT_TIMEOUT_S,
                options=f"-c statement_timeout={STATEMENT_TIMEOUT_S}s",
                row_factory=dict_row,
                application_name="carebell-import",
            ) as connection,
            connection.cursor() as cursor,
        ):
            # Rows are judged as they stood when it began. Whoever changed one of them since is not
            # overwritten: the database refuses, and the file is brought in again.
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            columns = headings(next(lines, (1, ()))[1])
            parsed = rows(lines, list(columns), errors)
            outcome = _Import(cursor, root_area_id, order, account).run(parsed, errors)
            outcome.headings = columns
            if not outcome.committed:
                connection.rollback()
        return outcome
    except psycopg.errors.SerializationFailure as error:
        raise ImportOvertaken from error
    except psycopg.OperationalError as error:
        raise DatabaseAway(type(error).__name__) from error
    except psycopg.Error as error:
        raise ImportRefused(str(error).splitlines()[0]) from error


class _Import:
    """One file on one transaction."""

    def __init__(
        self, cursor: Cursor, root_area_id: str, order: ImportOrder, account: Account
    ) -> None:
        self._cursor = cursor
        self._root = root_area_id
        self._order = order
        self._account = account
        self._areas = None if order.areas is None else list(order.areas)

    def run(self, parsed: Iterator[ParsedRow | None], errors: Errors) -> ImportOutcome:
        """Read, judge, and do it where that is wanted and possible."""
        self._do("lock", key=_LOCK)
        row = self._cursor.fetchone()
        if row is None or not row["mine"]:
            raise ImportRuns
        outcome = ImportOutcome()
        self._stage(parsed, outcome)
        self._judge()
        self._report(outcome, errors)
        if self._order.commit and (not outcome.error_count or self._order.skip_bad):
            self._apply()
            outcome.committed = True
        return outcome

    def _stage(self, parsed: Iterator[ParsedRow | None], outcome: ImportOutcome) -> None:
        self._do("stage")
        encode = msgspec.json.encode
        line = "COPY staged (row_no, kind, id, cells) FROM STDIN"
        with self._cursor.copy(line) as copy:
            for row in parsed:
                outcome.rows += 1
                if row is None:
                    outcome.bad_rows += 1
                    continue
                copy.write_row((row.row, row.kind, row.id, encode(row.cells).decode()))
        self._do("index_stage")

    def _judge(self) -> None:
        """Kinds in the order in which they refer to each other; areas level by level."""
        self._do("find_twins")
        for kind in COLUMNS:
            self._do(f"resolve_{kind}")
            required = [column for column in COLUMNS[kind] if column.required]
            keys, names = [c.key for c in required], [c.heading for c in required]
            self._do("judge_new", kind=kind, keys=keys, headings=names)
            if kind == "area":
                for level in Level:
                    self._do("judge_area", level=level.value, root=self._root)
                continue
            self._do("judge_owner", kind=kind)
            if kind in ("premises", "responder"):
                self._do("judge_area_of", kind=kind)
            elif kind == "contact":
                self._do("judge_person_of")
                self._do("judge_contact_count", most=CONTACTS_LIMIT)
            else:
                self._do("judge_home_of", kind=kind)
        self._do("judge_wearer")
        self._do("judge_revoked")
        if not self._order.provisions:
            self._do("judge_provisioning")

    def _report(self, outcome: ImportOutcome, errors: Errors) -> None:
        for row in self._read("counts"):
            outcome.counts[row["kind"]] = {
                action: row[action] for action in ("created", "changed", "unchanged")
            }
        for row in self._read("fault_counts"):
            outcome.error_count = errors.count + row["faults"]
            outcome.bad_rows += row["bad_rows"]
        found = [
            RowError(row["row_no"], row["heading"], row["value"], row["allowed"])
            for row in self._read("faults", limit=ERRORS_LIMIT)
        ]
        outcome.errors = sorted(errors.listed + found, key=lambda error: error.row)[:ERRORS_LIMIT]
        outcome.changes = [
            RowChange(
                row["row_no"],
                row["kind"],
                row["id"],
                "created" if row["created"] else "changed",
                tuple(dict.fromkeys(heading_of(row["kind"], key) for key in row["columns"] or ())),
            )
            for row in self._read("changes", limit=CHANGES_LIMIT)
        ]

    def _apply(self) -> None:
        for kind in COLUMNS:
            if kind == "area":
                for level in Level:
                    self._do("apply_area", level=level.value)
            else:
                self._do(f"apply_{kind}")
        self._do(
            "log_changes",
            at=self._order.at,
            seat=self._account.area_id,
            actor_kind=self._order.actor_kind,
            actor_id=self._account.id,
            actor_name=self._account.name,
            withheld=_WITHHELD,
        )

    def _do(self, name: str, **values: Any) -> None:
        query = _SQL[name]
        bound = {"areas": self._areas, **values} if "%(" in query else None
        self._cursor.execute(query, bound)

    def _read(self, name: str, **values: Any) -> Sequence[dict[str, Any]]:
        self._do(name, **values)
        return self._cursor.fetchall()


def _lines(content: IO[bytes]) -> Generator[tuple[int, Sequence[str]], None, None]:
    """Row numbers and cells. Raises ImportRefused for what is no text, or no table."""
    encoding = _encoding(content)
    text = io.TextIOWrapper(content, encoding=encoding, newline="")
    number = 0
    try:
        first = text.readline()
        text.seek(0)
        delimiter = max(";,\t", key=first.count)
        csv.field_size_limit(CHUNK_BYTES)
        for number, line in enumerate(csv.reader(text, delimiter=delimiter, strict=True), 1):
            yield number, line
    except csv.Error as error:
        raise ImportRefused(
            f"row {number + 1}: a quotation mark that is not closed, or stands inside a cell"
        ) from error
    finally:
        text.detach()


def _encoding(content: IO[bytes]) -> str:
    """UTF-8 with or without a mark, else GB18030, which spreadsheets in China write."""
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        content.seek(0)
        try:
            while chunk := content.read(CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        finally:
            content.seek(0)
        return encoding
    raise ImportRefused("the file is neither UTF-8 nor GB18030 text")
