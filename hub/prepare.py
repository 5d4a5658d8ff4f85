"""What a database needs before the hub's own processes may start on it."""

import structlog

from hub.settings import Settings
from hub.store.bootstrap import bootstrap
from hub.store.engine import arrange
from hub.store.migrate import migrate

_log = structlog.get_logger(__name__)


def bring_up_to_date(url: str, settings: Settings, administrator_password: str) -> None:
    """Apply the migrations that are missing, then what a first start needs."""
    applied = migrate(url)
    _log.info("migrated", applied=applied)
    arrange(url, settings)
    bootstrap(url, settings, administrator_password)
