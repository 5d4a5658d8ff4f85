"""The table of children: what runs on one machine, in the order in which it starts."""

import os
import pwd
import signal
import sys
from functools import partial
from pathlib import Path

from hub.embedded import broker, database, proc
from hub.embedded.child import ChildPlan
from hub.embedded.folder import HubFolder
from hub.embedded.process import Command
from hub.embedded.secrets import Secrets
from hub.embedded.status import read_status
from hub.settings import CONFIG_VARIABLE, Settings

DATABASE = "database"
BROKER = "broker"
CALLOUT = "callout"
OWN_PROCESSES = ("ingest", "worker", "api")

_DATA_DIR_VARIABLE = "CAREBELL_DATA_DIR"


def plan_children(settings: Settings, folder: HubFolder, secrets: Secrets) -> tuple[ChildPlan, ...]:
    """All children. Embedded servers have no row where somebody else operates one."""
    rows = [_own_process(name, settings) for name in OWN_PROCESSES]
    if not settings.broker_url:
        rows[:0] = [_broker(settings, folder, secrets), _own_process(CALLOUT, settings)]
    elif settings.broker_auth_listen is not None:
        rows[:0] = [_own_process(CALLOUT, settings)]
    if not settings.database_url:
        rows[:0] = [_database(folder)]
    return tuple(rows)


def sweep_own_processes(folder: HubFolder) -> None:
    """End the hub's own processes of an earlier run: those it recorded, if they are still they."""
    status = read_status(folder)
    if status is None:
        return
    recorded = [status.children[name].pid for name in (CALLOUT, *OWN_PROCESSES)
                if name in status.children]  # fmt: skip
    found = [entry for pid in recorded if pid and (entry := proc.look_up(pid)) is not None]
    proc.end([
        entry for entry in found
        if "carebell" in entry.arguments and entry.variable(_DATA_DIR_VARIABLE) == str(folder.root)
    ])  # fmt: skip


def _database(folder: HubFolder) -> ChildPlan:
    def prepare() -> Command:
        database.prepare(folder)
        return Command(
            arguments=database.arguments(folder),
            environment=_plain_environment(database.account()),
            folder=folder.cluster,
            account=database.account(),
            # Immediate shutdown: the postmaster takes its backends along; crash-safe.
            parent_death_signal=signal.SIGQUIT,
        )

    return ChildPlan(
        name=DATABASE,
        prepare=prepare,
        sweep=partial(database.end_leftovers, folder),
        is_ready=partial(database.is_ready, folder),
        ready_within_s=300.0,  # a long write-ahead log is replayed first
        stop_signal=signal.SIGINT,  # fast shutdown: open transactions are rolled back
        stop_within_s=20.0,  # the final checkpoint
    )


def _broker(settings: Settings, folder: HubFolder, secrets: Secrets) -> ChildPlan:
    def prepare() -> Command:
        broker.prepare(settings, folder, secrets)
        configuration = str(broker.configuration_path(folder))
        return Command(
            arguments=(str(broker.executable()), "--config", configuration),
            environment=_plain_environment(None),
            folder=folder.broker,
        )

    return ChildPlan(
        name=BROKER,
        prepare=prepare,
        sweep=partial(broker.end_leftovers, folder),
        is_ready=partial(broker.is_ready, folder),
        ready_within_s=120.0,  # recovers a store of several GiB first
    )


def _own_process(name: str, settings: Settings) -> ChildPlan:
    inherited = {key: value for key, value in os.environ.items() if key != CONFIG_VARIABLE}
    command = Command(
        arguments=(sys.executable, "-m", "carebell", name),
        environment=inherited | settings.environment(),
        folder=Path.cwd(),
    )
    return ChildPlan(name=name, prepare=lambda: command)


def _plain_environment(account: pwd.struct_passwd | None) -> dict[str, str]:
    """Only what a server needs: PG* variables of a user's shell must not steer ours."""
    kept = {key: os.environ[key] for key in ("PATH", "TMPDIR") if key in os.environ}
    return kept | {
        "LC_ALL": "C",
        "HOME": account.pw_dir if account else os.environ.get("HOME", "/"),
    }
