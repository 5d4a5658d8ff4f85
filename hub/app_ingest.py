"""The ingest process, put together."""

from hub import broker_sessions
from hub.app import broker_of, database_of, run
from hub.embedded.secrets import InternalUser
from hub.ingest_process import IngestProcess
from hub.settings import Settings


def run_ingest(settings: Settings) -> None:
    """The ingest process, until it is ended."""
    run(_process(settings).run())


def prepare_ingest(settings: Settings) -> None:
    """Make an ingest process's sessions at the broker without taking anything in yet."""
    run(_process(settings).prepare())


def forget_owner(settings: Settings, owner: str) -> None:
    """Delete the sessions of an ingest owner that will not come back."""
    broker = broker_of(settings, InternalUser.INGEST)
    run(broker_sessions.forget_owner(owner, broker, database_of(settings)))


def _process(settings: Settings) -> IngestProcess:
    return IngestProcess(settings, broker_of(settings, InternalUser.INGEST), database_of(settings))
