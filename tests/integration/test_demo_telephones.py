"""The demo's exchange keeps the contract of docs/gateway.md, and its families behave like people:
over HTTP, with pauses that a test ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
from aiohttp import web

from hub.demo_exchange import SIGNATURE, listening, signed
from hub.demo_family import Telephones, family_of, give_families
from hub.prepare import bring_up_to_date
from hub.provision import provision_homes
from hub.settings import Settings

SECRET = "of-this-demo"
RING = "Emergency press: Anna. Reply 1 if you are going, 2 if you cannot. Answer here: http://x/l/y"
NEWS = "Wang Fang is going there: Emergency press, Anna. You need not answer any more."
SOON_S = 10.0


@dataclass
class Evening:
    """The exchange, and a hub that writes down what it is told."""

    telephones: Telephones
    url: str
    callback_url: str
    pauses: "asyncio.Queue[asyncio.Event]"
    lines: list[str]
    told: "asyncio.Queue[dict[str, Any]]"
    answers: list[int] = field(default_factory=list)
    """What the hub says first, before it takes everything."""

    async def sends(self, number: str, secret: str = SECRET, **said: Any) -> httpx.Response:
        """A request as the shipped files make it; each has a key of its own unless it says so."""
        key = said.pop("key", f"k-{len(self.lines)}-{number}-{json.dumps(said)[:90]}")
        body = json.dumps({
            "kind": "sms" if "text" in said else "voice", "reference": "n1-sms-0", "to": number,
            "language": "en", "callback_url": self.callback_url, **said,
        }).encode()  # fmt: skip
        headers = {SIGNATURE: signed(body, secret), "Idempotency-Key": key}
        async with httpx.AsyncClient() as client:
            return await client.post(self.url, content=body, headers=headers)

    async def passes(self) -> None:
        """The next pause that somebody makes is over at once."""
        (await asyncio.wait_for(self.pauses.get(), SOON_S)).set()

    async def hears(self) -> str:
        """The next call-back: the state, the keys or the text."""
        said = await asyncio.wait_for(self.told.get(), SOON_S)
        return str(said.get("state") or said.get("digits") or said.get("text"))


@asynccontextmanager
async def evening() -> AsyncIterator[Evening]:
    """Everybody's telephone is switched on."""
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    pauses: asyncio.Queue[asyncio.Event] = asyncio.Queue()
    answers: list[int] = []
    lines: list[str] = []

    async def pause(_seconds: float) -> None:
        over = asyncio.Event()
        pauses.put_nowait(over)
        await over.wait()

    async def called_back(request: web.Request) -> web.Response:
        body = await request.read()
        assert request.headers[SIGNATURE] == signed(body, SECRET)
        if answers:
            return web.Response(status=answers.pop())
        told.put_nowait(json.loads(body))
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/callbacks", called_back)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    telephones = Telephones(SECRET, lines.append, pause)
    hub = f"http://127.0.0.1:{runner.addresses[0][1]}/callbacks"
    async with listening(telephones) as url:
        yield Evening(telephones, url, hub, pauses, lines, told, answers)
        await telephones.hang_up()
    await runner.cleanup()


async def test_only_what_is_signed_rings_and_only_once() -> None:
    son, _ = family_of("王秀英", 0)
    async with evening() as town:
        town.telephones.belong_to([son])
        assert (await town.sends(son.number, secret="another", text=RING)).status_code == 401
        assert (await town.sends(son.number, text=RING, kind="voice")).status_code == 422
        first = await town.sends(son.number, text=RING, key="k-1")
        again = await town.sends(son.number, text=RING, key="k-1")
        assert (first.status_code, again.status_code) == (202, 200)
        assert first.json()["id"] == again.json()["id"]
        assert await town.hears() == "delivered"
        assert [line.partition(" (SMS)")[0] for line in town.lines] == [str(son)]


async def test_a_short_message_is_answered_as_it_offers() -> None:
    """The one who reads replies what the message asks for; the one who does not, nothing; and
    what asks for nothing, or says that they go already, is answered by nobody."""
    reads, _ = family_of("王秀英", 0)
    absent, _ = family_of("李桂兰", 2)
    async with evening() as town:
        town.telephones.belong_to([reads, absent])
        await town.sends(reads.number, text=RING)
        assert await town.hears() == "delivered"
        await town.passes()
        assert await town.hears() == "1"
        assert town.lines[-1] == "王芳, 女儿 replied 1"
        own = f"{RING} On the way: {reads.name}."
        for number, text in ((reads.number, own), (absent.number, RING), (reads.number, NEWS)):
            await town.sends(number, text=text)
            assert await town.hears() == "delivered"
        await town.passes()
        await town.telephones.hang_up()
        assert town.told.empty()


async def test_a_call_is_picked_up_or_not() -> None:
    _, picks_up = family_of("王秀英", 0)
    _, busy = family_of("李桂兰", 1)
    say = ["This is Carebell.", "Press 1 if you are going."]
    async with evening() as town:
        town.telephones.belong_to([picks_up, busy])
        heard = []
        for number in (picks_up.number, busy.number, "+8613800000000"):
            await town.sends(number, say=say, digits="12")
            await town.passes()
            heard.append(await town.hears())
        assert heard == ["answered", "1", "completed"]
        assert [await town.hears() for _ in range(2)] == ["busy", "no_answer"]
        assert town.lines[1] == "Kevin Wang, son pressed 1"
        assert town.lines[-1] == "+8613800000000 did not pick up"


async def test_whoever_hears_that_somebody_goes_does_not_answer() -> None:
    """The desk, or a sister, was faster."""
    _, son = family_of("王秀英", 0)
    async with evening() as town:
        town.telephones.belong_to([son])
        await town.sends(son.number, say=["Press 1 if you are going."], digits="12")
        ringing = await asyncio.wait_for(town.pauses.get(), SOON_S)
        await town.sends(son.number, text=NEWS)
        assert await town.hears() == "delivered"
        ringing.set()
        assert await town.hears() == "no_answer"


async def test_what_the_hub_cannot_record_is_said_again() -> None:
    """And what rings before it is known whose telephone it is waits for that."""
    reads, _ = family_of("王秀英", 0)
    async with evening() as town:
        town.answers.append(503)
        await town.sends(reads.number, text=RING)
        assert town.lines == []
        town.telephones.belong_to([reads])
        await town.passes()
        assert await town.hears() == "delivered"


def test_families_stay_as_they_are_in_the_register(database_url: str) -> None:
    """A second start changes nothing that somebody corrected at the desk; and each number is one
    person's."""
    settings = Settings()
    bring_up_to_date(database_url, settings, "a password")
    homes = provision_homes(database_url, settings, 12).homes
    relatives = give_families(database_url, homes)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE person_contact SET phone = '110' WHERE person_id ="
                           " 'person-home-00001' AND place = 1")  # fmt: skip
    again = provision_homes(database_url, settings, 12).homes
    assert give_families(database_url, again) == relatives
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT phone, name FROM person_contact").fetchall()
    assert len(rows) == len({phone for phone, _ in rows}) == 24
    assert sum(phone.startswith("+86 000 ") for phone, _ in rows) == 23
    assert {name for _, name in rows} == {one.name for one in relatives}
