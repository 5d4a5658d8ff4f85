"""Who was let in and may not stay is disconnected: real nats-server, real callout."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator

import aiomqtt
import pytest

from device_sim.wire import connect
from hub.embedded.folder import HubFolder
from hub.settings import Settings
from tests.integration.embedded import (
    answering,
    device,
    eventually,
    is_admitted,
    make_both_sessions,
    own_folder,
    running,
    settings_in,
    write_register,
)


@pytest.fixture
async def opened() -> AsyncIterator[Settings]:
    """A broker that lets devices in."""
    with own_folder() as folder:
        settings = settings_in(folder)
        async with running(settings, "broker"), answering(settings):
            write_register(settings)
            await make_both_sessions(settings)
            await eventually(lambda: is_admitted(settings, "button-1"))
            yield settings


def change(settings: Settings, name: str, **fields: object) -> None:
    """The snapshot as ingest replaces it after a change of one device; None: it is gone."""
    path = HubFolder(settings.data_dir).register
    register = json.loads(path.read_text())
    if fields:
        register["devices"][name].update(fields)
    else:
        del register["devices"][name]
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(register))
    draft.replace(path)


async def dropped(client: aiomqtt.Client, within_s: float = 5.0) -> bool:
    """Whether the broker hangs up on a client in time."""
    try:
        async with asyncio.timeout(within_s):
            async for _ in client.messages:
                pass
    except aiomqtt.MqttError:
        return True
    except TimeoutError:
        return False
    return False


async def let_in(settings: Settings, name: str, **options: object) -> aiomqtt.Client:
    """A device that is connected, and will not be asked to leave in good order."""
    client = device(settings, name, **options)
    await client.__aenter__()
    return client


@pytest.mark.parametrize("client_id", ["button-1", "anything", ""])
async def test_a_revoked_device_is_cut_off_at_once(opened: Settings, client_id: str) -> None:
    button = await let_in(opened, "button-1", identifier=client_id)
    other = await let_in(opened, "button-2")
    change(opened, "button-1", revoked=True)
    assert await dropped(button)
    assert not await is_admitted(opened, "button-1")
    assert not await dropped(other, within_s=1.0), "nobody else was touched"


@pytest.mark.parametrize("gone", [False, True])
async def test_the_old_secret_and_the_deleted_device_too(opened: Settings, gone: bool) -> None:
    fresh = {} if gone else {"secret_sha256": hashlib.sha256(b"fresh").hexdigest()}
    button = await let_in(opened, "button-1")
    change(opened, "button-1", **fresh)
    assert await dropped(button)
    assert not await is_admitted(opened, "button-1")
    assert await is_admitted(opened, "button-1", password="fresh") is not gone


async def test_a_change_that_bars_nobody_cuts_nobody(opened: Settings) -> None:
    button = await let_in(opened, "button-1")
    change(opened, "button-1", premises_id="home-9")
    assert not await dropped(button, within_s=1.0)


async def test_what_changed_while_the_callout_was_dead_is_made_up_for() -> None:
    with own_folder() as folder:
        settings = settings_in(folder)
        async with running(settings, "broker"):
            write_register(settings)
            async with answering(settings):
                await make_both_sessions(settings)
                await eventually(lambda: is_admitted(settings, "button-1"))
                button = await let_in(settings, "button-1")
            change(settings, "button-1", revoked=True)
            async with answering(settings):
                assert await dropped(button)


async def test_who_is_at_the_door_just_now_is_not_taken_for_a_stranger() -> None:
    with own_folder() as folder:
        settings = settings_in(folder)
        async with running(settings, "broker"):
            write_register(settings)
            async with answering(settings):
                await make_both_sessions(settings)
                await eventually(lambda: is_admitted(settings, "button-1"))
                stranger = await let_in(settings, "button-1")
            change(settings, "button-1", revoked=True)
            address = settings.mqtt_listen
            reader, writer = await asyncio.open_connection(address.host, address.port)
            async with answering(settings):
                assert await dropped(stranger), "the strangers were shown out"
                await eventually(lambda: is_admitted(settings, "button-2"))
                writer.write(connect("b-2", "button-2", "secret-2", keepalive_s=60, clean=True))
                assert await reader.readexactly(4) == b"\x20\x02\x00\x00", "it may come in"
            writer.close()
