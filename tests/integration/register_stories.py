"""What the tests of the register do again and again."""

from typing import Any

import psycopg

from tests.integration.api_hub import QUICK_HASH, ApiHub


async def token_for(hub: ApiHub, role: str, area_id: str) -> tuple[str, str]:
    """A program's token and its id."""
    async with hub.desk("admin") as desk:
        body = {"name": "Billing", "area_id": area_id, "role": role}
        answer = await desk.post("/api/v1/tokens", json=body)
        assert answer.status_code == 201, answer.text
        made = answer.json()
    return made["token"], made["details"]["id"]


def add_account(hub: ApiHub, username: str, area_id: str, role: str) -> None:
    """An account with the password of all tests."""
    with psycopg.connect(hub.database_url) as connection:
        connection.execute(
            "INSERT INTO account (account_id, area_id, username, name, password_hash, role,"
            " language) VALUES (%s, %s, %s, %s, %s, %s, 'en')",
            (username, area_id, username, username.title(), QUICK_HASH, role),
        )


def logged(hub: ApiHub, action: str) -> list[Any]:
    """Details of the log's lines with this action, oldest first."""
    query = "SELECT detail FROM audit_log WHERE action = %s ORDER BY entry_id"
    return [row[0] for row in hub.rows(query, action)]
