"""Tokens of programs: a role in an area, until it is revoked."""

import secrets
from datetime import timedelta

from fastapi import APIRouter, Response

from hub.api import pages
from hub.api.account_models import NewTokenBody, NewTokenView, TokenPage, TokenView
from hub.api.gate import Accounting, PartsOf
from hub.api.routes.accounts import ended
from hub.api.routes.register import (
    FOUND,
    Cursor,
    IdQuery,
    Limit,
    NounId,
    areas_within,
    cut,
    own_area,
    unknown,
)
from hub.api.sessions import TOKEN_BYTES, TOKEN_PREFIX, digest
from hub.desk import NewToken

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"])


@router.get("", responses=FOUND)
async def list_tokens(
    account: Accounting,
    parts: PartsOf,
    *,
    area_id: IdQuery = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> TokenPage:
    """Tokens of your area and below, the revoked ones too; never the token itself."""
    areas = areas_within(parts, account, area_id)
    after = pages.decode(cursor).replace("\x00", "") if cursor else ""
    rows, following = cut("token", await parts.accounts.tokens(areas, after, limit + 1), limit)
    return TokenPage(items=[TokenView.model_validate(r) for r in rows], next_cursor=following)


@router.post("", status_code=201, responses=FOUND)
async def add_token(body: NewTokenBody, account: Accounting, parts: PartsOf) -> NewTokenView:
    """Let a program in. The token is shown this once."""
    own_area(parts, account, body.area_id)
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    now = parts.clock.now()
    new = NewToken(
        token_id=f"token-{secrets.token_hex(6)}",
        token_sha256=digest(token),
        area_id=body.area_id,
        name=body.name,
        role=body.role,
        created_at=now,
        created_by=account.id,
        expires_at=now + timedelta(days=body.days),
    )
    told = {"noun": "token", "id": new.token_id, "name": new.name, "role": new.role}
    await parts.accounts.add_token(new, parts.entry(account, "add", new.area_id, told))
    details = TokenView(
        id=new.token_id,
        area_id=new.area_id,
        name=new.name,
        role=new.role,
        created_at=now,
        created_by=account.id,
        expires_at=new.expires_at,
    )
    return NewTokenView(token=token, details=details)


@router.delete("/{token_id}", status_code=204, response_class=Response, responses=FOUND)
async def revoke_token(token_id: NounId, account: Accounting, parts: PartsOf) -> None:
    """Let a program in no longer: at once, its live feeds included. Again is harmless."""
    row = await parts.accounts.token_area(token_id)
    if row is None or not parts.switchboard.tree.sees(account.area_id, row["area_id"]):
        raise unknown("token", token_id)
    entry = parts.entry(account, "revoke", row["area_id"], {"noun": "token", "id": token_id})
    await parts.accounts.revoke_token(token_id, entry)
    ended(parts, [row["token_sha256"]])
