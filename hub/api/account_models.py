"""The shapes of accounts, log-ins, tokens, the log and imports over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.api.models import Email, Id, Name, Phone, Question
from hub.api.register_models import Changes, Label, Language

Password = Annotated[str, StringConstraints(min_length=1, max_length=1024)]

# ---- accounts, log-ins, tokens ------------------------------------------------------------------

RoleName = Literal[
    "administrator", "dispatcher", "supervisor", "responder", "family", "installer", "auditor",
    "integration",
]  # fmt: skip
"""hub.api.access.MAY; a test compares them."""
TokenRole = Literal["supervisor", "installer", "auditor", "integration"]
"""Of these, those a program may hold."""


class AccountCard(BaseModel):
    """An account as its administrator sees it."""

    id: str
    area_id: str
    username: str
    name: str
    role: str
    language: str
    disabled: bool
    created_at: datetime
    must_change_password: bool
    phone: str | None = None
    """Where they are called while on duty and not at a desk; only where one account is read."""
    email: str | None = None


class AccountPage(BaseModel):
    """Accounts by id."""

    items: list[AccountCard]
    next_cursor: str | None


class NewAccountBody(Question):
    """Somebody who may log in; the hub draws a first password."""

    model_config = ConfigDict(title="NewAccount")

    username: Id
    area_id: Id
    name: Name
    role: RoleName
    language: Language = "zh-CN"


class GivenPassword(BaseModel):
    """An account with a password that is shown this once; its holder must choose another."""

    account: AccountCard
    password: str


class AccountChanges(Changes):
    """What is to change of an account. Disabled, its log-ins end at once."""

    area_id: Id = ""
    name: Name = ""
    role: RoleName = "family"
    language: Language = "zh-CN"
    disabled: bool = False
    phone: Phone | None = None
    email: Email | None = None


class PasswordChange(Question):
    """Another password for oneself."""

    current: Password
    new: Password


class LogInView(BaseModel):
    """Where an account is logged in."""

    id: str
    created_at: datetime
    expires_at: datetime
    address: str | None
    agent: str | None
    current: bool


class LogInList(BaseModel):
    """Log-ins, newest first."""

    items: list[LogInView]


class TokenView(BaseModel):
    """What a program is let in with; itself it is shown once."""

    model_config = ConfigDict(title="Token")

    id: str
    area_id: str
    name: str
    role: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None = None


class TokenPage(BaseModel):
    """Tokens by id, also those that were revoked."""

    items: list[TokenView]
    next_cursor: str | None


class NewTokenBody(Question):
    """A program to let in."""

    model_config = ConfigDict(title="NewToken")

    name: Label
    area_id: Id
    role: TokenRole
    days: Annotated[int, Field(ge=1, le=730)] = 365
    """How long it counts."""


class NewTokenView(BaseModel):
    """A token, shown this once; sent as `Authorization: Bearer ...`."""

    token: str
    details: TokenView


# ---- log ----------------------------------------------------------------------------------------


class LogEntry(BaseModel):
    """One line of the log."""

    id: int
    at: datetime
    area_id: str
    incident_id: str | None
    actor_kind: str
    actor_id: str | None
    actor_name: str | None
    action: str
    reason: str | None
    detail: dict[str, Any]


class LogPage(BaseModel):
    """The log, newest first."""

    items: list[LogEntry]
    next_cursor: str | None


# ---- import -------------------------------------------------------------------------------------


class ImportMistake(BaseModel):
    """One cell that cannot be."""

    row: int
    column: str
    value: str
    allowed: str


class ImportChange(BaseModel):
    """What becomes of one row."""

    row: int
    kind: str
    id: str
    action: str
    columns: list[str]


class ImportReport(BaseModel):
    """What a file would do, or did."""

    committed: bool
    rows: int
    bad_rows: int
    counts: dict[str, dict[str, int]]
    """By kind of row: created, changed, unchanged."""
    errors: list[ImportMistake]
    error_count: int
    """More than are listed, where there are very many."""
    changes: list[ImportChange]
    """The first thousand."""
