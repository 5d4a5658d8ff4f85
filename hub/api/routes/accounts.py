"""Accounts of humans, as their administrator keeps them."""

from typing import Literal

from fastapi import APIRouter, Response

from alerts.people import Account
from hub.api.account_models import (
    AccountCard,
    AccountChanges,
    AccountPage,
    GivenPassword,
    LogInList,
    LogInView,
    NewAccountBody,
    RoleName,
)
from hub.api.gate import Accounting, Parts, PartsOf
from hub.api.problems import Problem
from hub.api.routes.register import (
    ADDED,
    CHANGED,
    FOUND,
    Cursor,
    IdQuery,
    Limit,
    NounId,
    Search,
    added,
    area_of,
    card_of,
    changed,
    own_area,
    page_of,
    shown,
)
from hub.passwords import drawn
from hub.view import View

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])

SHOWN_OF_HASH = 16
"""Hex digits by which a log-in is called: 64 bits of a hash of 256 random ones."""


@router.get("", responses=FOUND)
async def list_accounts(
    account: Accounting,
    parts: PartsOf,
    *,
    area_id: IdQuery = None,
    role: RoleName | None = None,
    q: Search = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AccountPage:
    """Accounts of your area and below; `q` looks in username and name."""
    rows, after = await page_of(
        parts, account, "account", area_id=area_id, q=q, cursor=cursor, limit=limit,
        filters={"role": role},
    )  # fmt: skip
    return AccountPage(items=[AccountCard.model_validate(r) for r in rows], next_cursor=after)


@router.post("", status_code=201, responses=ADDED)
async def add_account(body: NewAccountBody, account: Accounting, parts: PartsOf) -> GivenPassword:
    """Let somebody in. The password is shown this once; they must choose another at once."""
    own_area(parts, account, body.area_id)
    password = drawn()
    values = body.model_dump(mode="json") | {
        "disabled": False,
        "password_hash": await parts.sessions.hashed(password),
        "must_change_password": True,
    }
    entry = parts.entry(account, "add", body.area_id, {})
    adding = parts.register.add("account", body.username, values, entry)
    row = await added("account", body.username, adding)
    return GivenPassword(account=_card(row), password=password)


@router.get("/{account_id}", responses=FOUND)
async def read_account(account_id: NounId, account: Accounting, parts: PartsOf) -> AccountCard:
    """One account."""
    return AccountCard.model_validate(await card_of(parts, account, "account", account_id))


@router.patch("/{account_id}", responses=CHANGED)
async def change_account(
    account_id: NounId, body: AccountChanges, account: Accounting, parts: PartsOf
) -> AccountCard:
    """Change an account. Disabled, its log-ins and live feeds end at once."""
    card = await card_of(parts, account, "account", account_id)
    changes = body.said()
    if "area_id" in changes:
        own_area(parts, account, changes["area_id"])
    entry = parts.entry(account, "change", card["area_id"], {})
    changing = parts.register.change("account", account_id, changes, entry)
    row = await changed("account", account_id, changing)
    await _rethink(parts, account_id)
    return _card(row)


@router.delete("/{account_id}", status_code=204, response_class=Response, responses=CHANGED)
async def remove_account(account_id: NounId, account: Accounting, parts: PartsOf) -> None:
    """Remove an account that answers for nothing any more. The log keeps its name."""
    area_id = await _theirs(parts, account, account_id)
    entry = parts.entry(account, "remove", area_id, {})
    await changed("account", account_id, parts.register.remove("account", account_id, entry))
    await _rethink(parts, account_id)


@router.post("/{account_id}/password", responses=CHANGED)
async def reset_password(account_id: NounId, account: Accounting, parts: PartsOf) -> GivenPassword:
    """Draw a new password for somebody; all their log-ins end."""
    area_id = await _theirs(parts, account, account_id)
    password = drawn()
    entry = parts.entry(account, "reset_password", area_id, {"noun": "account", "id": account_id})
    setting = parts.accounts.set_password(
        account_id,
        await parts.sessions.hashed(password),
        must_change=True,
        keep=None,
        entry=entry,
    )
    ended(parts, await changed("account", account_id, setting))
    row = await card_of(parts, account, "account", account_id)
    return GivenPassword(account=AccountCard.model_validate(row), password=password)


@router.get("/{account_id}/sessions", responses=FOUND)
async def list_sessions_of(account_id: NounId, account: Accounting, parts: PartsOf) -> LogInList:
    """Where somebody is logged in."""
    await area_of(parts, account, "account", account_id)
    rows = await parts.accounts.sessions_of(account_id, parts.clock.now())
    return log_ins(rows, current="")


@router.delete("/{account_id}/sessions", status_code=204, response_class=Response, responses=FOUND)
async def end_sessions_of(account_id: NounId, account: Accounting, parts: PartsOf) -> None:
    """Log somebody out everywhere."""
    area_id = await area_of(parts, account, "account", account_id)
    entry = parts.entry(account, "end_sessions", area_id, {"noun": "account", "id": account_id})
    ended(parts, await parts.accounts.close_sessions_of(account_id, "", None, entry))


def log_ins(rows: list[View], current: str) -> LogInList:
    """Log-ins as they are shown; `current` is the hash of the one that asks."""
    items = [
        LogInView.model_validate(
            {
                **row,
                "id": row["token_sha256"][:SHOWN_OF_HASH],
                "current": row["token_sha256"] == current,
            }
        )
        for row in rows
    ]
    return LogInList(items=items)


def ended(parts: Parts, hashes: list[str], why: Literal["signed_out"] = "signed_out") -> None:
    """These log-ins are over: here at once, live feeds included; elsewhere within a second."""
    parts.sessions.forget(hashes)
    for each in hashes:
        parts.switchboard.cut(why, each)


async def _rethink(parts: Parts, account_id: str) -> None:
    """An account changed: ask again who its log-ins are, and cut what they may not see."""
    parts.sessions.doubt([account_id], ())
    for listener in list(parts.switchboard.listeners):
        if listener.account.id == account_id:
            session = await parts.sessions.verify_digest(listener.session_sha256)
            if session is None or session.account != listener.account:
                listener.cut("signed_out" if session is None else "changed")


async def _theirs(parts: Parts, account: Account, account_id: str) -> str:
    """The area of somebody else's account."""
    area_id = await area_of(parts, account, "account", account_id)
    if account_id == account.id:
        raise Problem(409, "This is your own account", "Change your password, or ask a colleague.")
    return area_id


def _card(row: View) -> AccountCard:
    return AccountCard.model_validate(shown("account", row))
