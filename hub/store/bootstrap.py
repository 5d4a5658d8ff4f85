"""What an empty database needs before the hub can start: a root area and one administrator."""

import psycopg
from argon2 import PasswordHasher

from hub.settings import Settings

ADMINISTRATOR = "admin"
_DISPLAY_NAMES = {"zh-CN": "值班台", "en": "Duty desk"}
"""What the person reads when the first account answers: "Duty desk is looking after you"."""


def bootstrap(database_url: str, settings: Settings, initial_password: str) -> None:
    """Make the root area and, where there is no account yet, the administrator.

    There is no default password: `initial_password` is random and made on the first start.
    """
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO area (area_id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (settings.root_area_id, settings.root_area_id),
        )
        row = connection.execute("SELECT count(*) FROM account").fetchone()
        if row is None or row[0] > 0:
            return
        connection.execute(
            "INSERT INTO account (account_id, area_id, username, name, password_hash, role,"
            " language) VALUES (%s, %s, %s, %s, %s, 'administrator', %s)",
            (
                ADMINISTRATOR,
                settings.root_area_id,
                ADMINISTRATOR,
                _DISPLAY_NAMES[settings.language],
                PasswordHasher().hash(initial_password),
                settings.language,
            ),
        )
