"""Somebody of each role tries every operation of the OpenAPI document with whatever comes to mind.

schemathesis makes the requests, right ones and wrong ones; half of their ids are replaced by ids
that exist: one's own and, above all, other people's. Bodies that no generator of JSON would write
come on top.
"""

import json
import random
import re
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

import hypothesis
import psycopg
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.errors import IncorrectUsage, InvalidSchema
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmarks.hostile.town import NOUNS, OWN, TENANTS, Tenant, foreign_to, visitor
from hub.api import pages
from hub.api.access import Deed, may
from hub.api.border import MAX_BODY_BYTES
from hub.api.sessions import COOKIE
from tests.integration.api_hub import QUICK_HASH

Operation = APIOperation[Any, Any, Any, Any]

CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_headers_conformance, response_schema_conformance,
)  # fmt: skip
UNREADY = frozenset(f"/api/v1/health/{one}" for one in ("ready", "cycle", "assurance"))
"""May say 503: no worker runs here, and the document says so."""
EXAMPLES_KEPT = 20
ANSWER_WITHIN_S = 20.0
_OWN_WORDS = re.compile(r'"visitor_id": ?"[^"]*"')
"""Free text, an id in somebody else's books: what the visitor wrote there comes back to it."""
IMPATIENT = "-c statement_timeout=30s"
"""A row that the hub keeps locked for so long ends the pass with an error."""
LISTEN_S = 0.5
"""How long the live feed is read: its snapshot comes at once."""
IDENTIFIED = (*(noun for noun in NOUNS if noun != "fence"), "alarm")
"""Whose id is one in the whole hub; a fence's is its person's, and two people may have the same."""
NOUN_OF = {
    "people": "person", "premises": "premises", "devices": "device", "responders": "responder",
    "accounts": "account", "tokens": "token",
}  # fmt: skip
"""What a collection of the API holds."""
NUMBERED = frozenset({"quarantine_id", "letter_id", "maintenance_id"})
CRUDE_BODIES: tuple[bytes, ...] = (
    b"", b"null", b"[]", b'"', b"{", b"\xff\xfe\x00", b"\0", b'{"a":NaN}', b"[" * 30_000,
    b'{"a":' * 10_000, b'{"\\ud800":1}', b'{"name":"\\ud800","id":"\\udfff"}',
    b'{"name":"a\\u0000b"}', b'{"id":"own-x","id":"own-y"}', b'{"id":' + b"9" * 5000 + b"}",
    b'{"at":1e400}', b"x" * 70_000, '{"name":"王秀英"}'.encode("gbk"), b'{"\\u0000":"\\u0000"}',
    b'{"from_at":"0001-01-01T00:00:00+14:00","until_at":"9999-12-31T23:59:59-14:00"}',
)  # fmt: skip
CRUDE_QUERIES = (
    "limit=99999999999999999999999", "limit=-1", "limit=1e3", "limit=NaN", "limit=%FF",
    "cursor=%00", "cursor=%F0%9F%92%A9", "q=%ED%A0%80", "q=%00", "q=%25_%5C", "q=" + "x" * 8000,
    "limit=1&limit=2", "area_id=zqwest-1", "area_id=%2e%2e", "a[]=1", "&&&===", "limit=",
    "from=0001-01-01T00:00:00%2B14:00", "to=9999-12-31T23:59:59-14:00", "from=%2B275760-09-13",
    "from=1&to=0", "from=NaN&to=Infinity", "from=2026-01-01&to=2026-01-02",
)  # fmt: skip
CRUDE_CURSORS = (
    "9" * 19, "9" * 40, "-1", "0", "1e3", "", " ", "zqwest-person", "\ud7ff", "a b c",
    "0001-01-01T00:00:00+14:00 x", "9999-12-31T23:59:59-14:00 x", "infinity x", "%", "null",
)  # fmt: skip


@dataclass(slots=True)
class Account:
    """What one role's visit brought to light."""

    requests: int = 0
    server_errors: int = 0
    nonconforming: int = 0
    foreign: int = 0
    touched: int = 0
    """Rows of others that are not as they were."""
    statuses: Counter[int] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def note(self, what: str, where: str, told: str) -> None:
        """One example for each kind of finding at each operation."""
        if (what + where) not in self._seen and len(self.examples) < EXAMPLES_KEPT:
            self._seen.add(what + where)
            self.examples.append(f"{what} {where}: {told}")


class Visit:
    """One role at the door, with a log-in that comes back whatever it does to itself."""

    def __init__(self, url: str, database_url: str, role: str, document: dict[str, Any]) -> None:
        self.account = Account()
        self._url = url
        self._database_url = database_url
        self._role = role
        self._session = requests.Session()
        self._session.trust_env = False
        self._token = ""
        self._operations = _operations(json.dumps(document))
        self._forbidden = _forbidden_words(foreign_to(role))
        self._cursors = [pages.encode(text) for text in CRUDE_CURSORS]
        self._numbers = _numbers(database_url)
        load_all_checks()

    def visit(self, often: int, seldom: int, seed: int) -> Account:
        """`often` requests of each kind where the role may, `seldom` where it may not."""
        for operation in self._operations:
            if operation.path == "/api/v1/events":
                self._listen()
                continue
            deed = operation.definition.raw.get("x-deed")
            allowed = deed is None or may(self._role, Deed(deed))
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                self._generated(operation, mode, often if allowed else seldom, seed)
            if allowed:
                self._crude(operation, 2 * often)
        return self.account

    def _generated(
        self, operation: Operation, mode: GenerationMode, count: int,
        seed: int,
    ) -> None:  # fmt: skip
        strategy = _cases(operation, mode)
        if strategy is None:
            return

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=count, database=None, deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )  # fmt: skip
        @hypothesis.given(case=strategy, drawn=st.integers(0, 2**32))
        def ask(case: Case[Any], drawn: int) -> None:
            self._aim(case, random.Random(drawn))
            self._ask(case)

        # What cannot be made wrong (no parameter, no body) has no such requests.
        try:
            ask()
        except (hypothesis.errors.Unsatisfiable, hypothesis.errors.NoSuchExample):
            return

    # Aiming

    def _aim(self, case: Case[Any], draw: random.Random) -> None:
        """Ids that exist, cursors somebody made up."""
        for name in case.path_parameters or {}:
            if draw.random() < 0.75:
                case.path_parameters[name] = self._id(name, draw)
        if isinstance(case.query, dict):
            for name in list(case.query):
                if name == "cursor" and draw.random() < 0.7:
                    case.query[name] = draw.choice(self._cursors)
                elif name.endswith("_id") and draw.random() < 0.6:
                    case.query[name] = self._id(name, draw)
        if isinstance(case.body, dict):
            for name in list(case.body):
                if name == "id":
                    case.body[name] = self._new_id(case.operation.path, draw)
                elif name.endswith("_id") and draw.random() < 0.6:
                    case.body[name] = self._id(name, draw)

    def _id(self, name: str, draw: random.Random) -> Any:
        if name in NUMBERED:
            return draw.choice(self._numbers[name])
        tenant = draw.choice((OWN, OWN, *TENANTS))
        if name in ("area_id", "parent_id"):
            return draw.choice(("east", "east-1", "east-2", tenant.area_id, "zqwest-1"))
        noun = name.removesuffix("_id")
        return tenant.id(noun if noun in NOUNS else draw.choice(NOUNS))

    def _new_id(self, path: str, draw: random.Random) -> str:
        """One that is taken, by whomever; or a new one, which is never like somebody else's."""
        noun = NOUN_OF.get(path.rpartition("/")[2])
        if noun is not None and draw.random() < 0.5:
            return draw.choice(TENANTS).id(noun)
        return f"new-{draw.randrange(10**6)}"

    # Asking

    def _ask(self, case: Case[Any]) -> None:
        where = f"{case.method} {case.operation.path}"
        try:
            try:
                response = self._call(case)
            except (requests.exceptions.Timeout, requests.exceptions.ConnectionError):
                response = self._call(case)  # a machine that stood still is not the hub's mistake
            if response.status_code == 401 and case.operation.path != "/api/v1/session":
                self._log_in()
                response = self._call(case)
        except (requests.exceptions.InvalidHeader, UnicodeError):
            return  # what no client can put on the wire
        except (requests.exceptions.Timeout, requests.exceptions.ConnectionError):
            self._no_answer(where, repr(case)[:600])
            return
        self._judge(response, where)
        failures = self._failures(case, response)
        for failure in failures:
            if response.status_code < 500:
                self.account.nonconforming += 1
                self.account.note("not as described", where, f"{failure}"[:600])

    def _call(self, case: Case[Any]) -> requests.Response:
        if not self._token:
            self._log_in()
        prepared = case.as_transport_kwargs(base_url=self._url)
        prepared["cookies"] = {COOKIE: self._token}
        prepared.setdefault("headers", {}).pop("Cookie", None)
        return self._session.request(timeout=ANSWER_WITHIN_S, allow_redirects=False, **prepared)

    def _failures(self, case: Case[Any], response: requests.Response) -> list[Exception]:
        try:
            case.validate_response(response, checks=list(CHECKS))
        except FailureGroup as group:
            return list(group.exceptions)
        return []

    def _crude(self, operation: Operation, count: int) -> None:
        """What JSON libraries do not write and browsers do not send."""
        draw = random.Random(f"{operation.method}{operation.path}")
        path = operation.path
        while "{" in path:
            name = path[path.index("{") + 1 : path.index("}")]
            path = path.replace(f"{{{name}}}", str(self._id(name, draw)), 1)
        where = f"{operation.method.upper()} {operation.path}"
        crude: list[tuple[str, bytes | None]] = [
            *((path, body) for body in CRUDE_BODIES if operation.body),
            *((f"{path}?{query}", None) for query in CRUDE_QUERIES if len(operation.query)),
            *((operation.path.replace("{", "%00{", 1), None) for _ in range("{" in operation.path)),
        ]
        for target, body in draw.sample(crude, min(len(crude), count)):
            if not self._token:
                self._log_in()
            headers = {"Content-Type": "application/json", "Cookie": f"{COOKIE}={self._token}"}
            try:
                response = self._session.request(
                    operation.method, self._url + target, data=body, headers=headers,
                    timeout=ANSWER_WITHIN_S,
                )  # fmt: skip
            except requests.exceptions.ConnectionError:
                # Whoever sends too much may be cut off before the answer is read.
                if body is None or len(body) <= MAX_BODY_BYTES:
                    self._no_answer(where, f"{target[:300]} {body!r:.300}")
                continue
            except requests.exceptions.Timeout:
                self._no_answer(where, f"{target[:300]} {body!r:.300}")
                continue
            if response.status_code == 401:
                self._token = ""
            self._judge(response, where, (body or b"")[:200])

    def _judge(self, response: requests.Response, where: str, sent: bytes = b"") -> None:
        account = self.account
        account.requests += 1
        account.statuses[response.status_code] += 1
        described = response.status_code == 503 and where.rpartition(" ")[2] in UNREADY
        asked = f"{response.request.url} {response.request.body!r:.300} {sent!r}"
        if response.status_code >= 500 and not described:
            account.server_errors += 1
            account.note(str(response.status_code), where, f"{asked}: {response.text[:200]}")
        if leaked := self._leaked(response.text, response.request):
            account.foreign += 1
            account.note("foreign", where, f"{leaked} by {asked}: {response.text[:400]}")

    def _no_answer(self, where: str, asked: str) -> None:
        """It counts as a mistake of the server's."""
        self.account.requests += 1
        self.account.server_errors += 1
        self.account.note("no answer", where, asked)

    def _leaked(self, text: str, request: requests.PreparedRequest) -> str | None:
        body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        text = _OWN_WORDS.sub("", text)
        for word in self._forbidden:
            if word in text and word not in str(request.url) and word.encode() not in body:
                return word
        return None

    def _listen(self) -> None:
        """The live feed's first words."""
        if not self._token:
            self._log_in()
        text, started = "", datetime.now(UTC)
        try:
            with self._session.get(
                f"{self._url}/api/v1/events", stream=True, timeout=LISTEN_S,
                cookies={COOKIE: self._token},
            ) as response:  # fmt: skip
                for chunk in response.iter_content(None):
                    text += chunk.decode()
                    if (datetime.now(UTC) - started).total_seconds() > LISTEN_S:
                        break
        except requests.exceptions.RequestException:
            pass
        self.account.requests += 1
        if leaked := self._leaked(text, requests.Request("GET", self._url).prepare()):
            self.account.foreign += 1
            self.account.note("foreign", "GET /api/v1/events", leaked)

    def _log_in(self) -> None:
        """Anew, past the throttle; what the visitor did to the own account is undone."""
        self._token = secrets.token_urlsafe(32)
        name, now = visitor(self._role), datetime.now(UTC)
        with psycopg.connect(self._database_url, options=IMPATIENT) as connection:
            connection.execute(
                "UPDATE account SET role = %s, area_id = 'east', disabled = false,"
                " must_change_password = false, password_hash = %s WHERE account_id = %s",
                (self._role, QUICK_HASH, name),
            )
            connection.execute(
                "INSERT INTO desk_session (token_sha256, account_id, created_at, expires_at)"
                " VALUES (%s, %s, %s, %s)",
                (sha256(self._token.encode()).hexdigest(), name, now, now + timedelta(hours=9)),
            )


@cache
def _operations(document: str) -> tuple[Operation, ...]:
    """Of the OpenAPI document; log-ins are ours to make."""
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    schema = schemathesis.openapi.from_dict(json.loads(document), config=config)
    return tuple(found.ok() for found in schema.get_all_operations() if isinstance(found, Ok))


@cache
def _cases(operation: Operation, mode: GenerationMode) -> st.SearchStrategy[Case[Any]] | None:
    """What to ask; None where nothing can be asked wrongly. Made once: it costs more than to ask
    does."""
    try:
        strategy = operation.as_strategy(generation_mode=mode)
        strategy.validate()
    except (InvalidSchema, IncorrectUsage, hypothesis.errors.HypothesisException):
        return None
    return strategy


def _forbidden_words(tenants: tuple[Tenant, ...]) -> list[str]:
    """What no response may hold: their texts, and ids that were not asked for."""
    return [
        word
        for tenant in tenants
        for word in (tenant.kept, *(tenant.id(noun) for noun in IDENTIFIED))
    ]


def _numbers(database_url: str) -> dict[str, list[int]]:
    """Numbers of rows of everybody, and of nobody."""
    nobody = [1, 10**6, 2**31, 2**63 - 1]
    with psycopg.connect(database_url) as connection:

        def of(query: bytes) -> list[int]:
            return [row[0] for row in connection.execute(query).fetchall()] + nobody

        return {
            "quarantine_id": of(b"SELECT quarantine_id FROM quarantine"),
            "letter_id": of(b"SELECT notification_id FROM notification"),
            "maintenance_id": of(b"SELECT maintenance_id FROM maintenance"),
        }
