"""The worker process, put together."""

from hub.app import broker_of, database_of, run
from hub.embedded.secrets import InternalUser
from hub.settings import Settings
from hub.worker import WorkerProcess


def run_worker(settings: Settings) -> None:
    """The worker process, until it is ended."""

    async def work() -> None:
        broker = broker_of(settings, InternalUser.WORKER)
        await WorkerProcess(settings, broker, database_of(settings)).run()

    run(work())
