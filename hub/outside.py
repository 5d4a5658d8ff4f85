"""What the files and servers beside the API say, for `/metrics`: supervisor, callout, broker."""

import json
import urllib.request
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from hub.backup.make import last_backup
from hub.clock import SystemClock
from hub.embedded.broker import ports
from hub.embedded.callout_word import read_callout_word
from hub.embedded.folder import HubFolder
from hub.embedded.status import ChildState, read_status

LOOK_WITHIN_S = 0.5
"""The embedded broker answers its own machine within a millisecond."""

Figures = dict[str, Mapping[str, float]]
"""By figure, then by its one label; an empty label: it has none."""


def outside_figures(folder: HubFolder, clock: SystemClock) -> Figures:
    """What is known just now; what is not, is left out."""
    return (
        _of_children(folder) | _of_callout(folder) | _of_broker(folder) | _of_backup(folder, clock)
    )


def _of_children(folder: HubFolder) -> Figures:
    status = read_status(folder)
    if status is None:
        return {}
    up = {n: float(c.state is ChildState.RUNNING) for n, c in status.children.items()}
    restarts = {n: float(c.restarts) for n, c in status.children.items()}
    return {"carebell_child_up": up, "carebell_child_restarts": restarts}


def _of_callout(folder: HubFolder) -> Figures:
    word = read_callout_word(folder)
    if word is None:
        return {}
    return {
        "carebell_callout_answers": word.answers,
        "carebell_callout_ready": {"": float(word.ready)},
    }


def _of_broker(folder: HubFolder) -> Figures:
    found: Figures = {}
    with suppress(OSError, ValueError, KeyError, msgspec.MsgspecError):
        base = f"http://127.0.0.1:{ports(folder).monitor}"
        server, store = _asked(f"{base}/varz"), _asked(f"{base}/jsz")
        found["carebell_broker_connections"] = {"": float(server["connections"])}
        found["carebell_broker_slow_consumers"] = {"": float(server["slow_consumers"])}
        found["carebell_broker_store_bytes"] = {"": float(store["storage"])}
        found["carebell_broker_store_messages"] = {"": float(store["messages"])}
    return found


def _asked(url: str) -> dict[str, float]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=LOOK_WITHIN_S) as answer:
        found: dict[str, float] = json.loads(answer.read())
    return found


def _of_backup(folder: HubFolder, clock: SystemClock) -> Figures:
    last = last_backup(folder)
    if last is None:
        return {}
    return {"carebell_backup_age_seconds": {"": (clock.now() - last.at).total_seconds()}}
