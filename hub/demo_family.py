"""The demo's families: invented relatives in the register, and what they do when their telephones
ring. Outside `carebell demo` nobody uses this."""

import asyncio
import contextlib
import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import httpx
import psycopg

from hub.demo_exchange import Call, Exchange, Text
from hub.store import queries

_SQL = queries.load("demo")

ANSWERS_AFTER_S = (10.0, 20.0)
"""Ours: to find the telephone, read or listen, and make up one's mind."""
BUSY_AFTER_S = 3.0
RINGS_S = 30.0
"""Ours: then a gateway gives up."""
TRIES = 8
AGAIN_AFTER_S = 2.0
"""A hub that is starting again is back within these."""
_OFFERED = re.compile(r"(?:Reply |回复)([0-9A-Z]+)")
"""What a short message asks for (`alerts.wording`); where it asks for nothing nobody answers."""


class Manner(Enum):
    """What somebody does when the telephone rings."""

    ANSWERS = "answers"
    BUSY = "busy"
    """Is on the telephone; short messages are read and answered."""
    ABSENT = "absent"
    """Neither picks up nor reads."""


@dataclass(frozen=True, slots=True)
class Relative:
    """Somebody's son or daughter, invented."""

    name: str
    relation: str
    language: str
    number: str
    channels: tuple[str, ...]
    """Which way they want to be told first."""
    manner: Manner

    def __str__(self) -> str:
        return f"{self.name}, {self.relation}"


_FAMILY_NAMES = {
    "王": "Wang", "李": "Li", "张": "Zhang", "刘": "Liu", "陈": "Chen", "杨": "Yang",
    "赵": "Zhao", "黄": "Huang", "周": "Zhou", "吴": "Wu", "徐": "Xu", "孙": "Sun",
}  # fmt: skip
"""Of `hub.provision`."""
_AT_HOME = (("芳", "女儿"), ("伟", "儿子"), ("敏", "女儿"), ("磊", "儿子"), ("静", "女儿"))
_BACK_FROM_ABROAD = (("Kevin", "son"), ("Grace", "daughter"), ("David", "son"), ("Amy", "daughter"))
_SMS, _CALL = ("sms",), ("voice", "sms")
_MANNERS = (
    ((_SMS, Manner.ANSWERS), (_CALL, Manner.ANSWERS)),
    ((_SMS, Manner.ANSWERS), (_CALL, Manner.BUSY)),
    ((_SMS, Manner.ABSENT), (_CALL, Manner.ANSWERS)),
    ((_SMS, Manner.ABSENT), (_CALL, Manner.ANSWERS)),
    ((_SMS, Manner.ABSENT), (_SMS, Manner.ABSENT)),
)
"""One family after the other; in the last one nobody is there, and the ladder goes on."""


def family_of(name: str, index: int) -> tuple[Relative, Relative]:
    """The contacts of the person of this name, by place; the same for the same index."""
    first, second = _MANNERS[index % len(_MANNERS)]
    given, relation = _AT_HOME[index % len(_AT_HOME)]
    other, other_relation = _BACK_FROM_ABROAD[index % len(_BACK_FROM_ABROAD)]
    latin = _FAMILY_NAMES.get(name[:1], name[:1])
    return (
        Relative(f"{name[:1]}{given}", relation, "zh-CN", _number(index, 1), *first),
        Relative(f"{other} {latin}", other_relation, "en", _number(index, 2), *second),
    )


def _number(index: int, place: int) -> str:
    """No number in China begins with a zero behind the country's code: nobody has these."""
    subscriber = f"{index * 10 + place:08d}"
    return f"+86 000 {subscriber[:4]} {subscriber[4:]}"


def give_families(database_url: str, homes: Sequence[Mapping[str, Any]]) -> list[Relative]:
    """Everybody of these homes (of a fleet file) gets two contacts. By default a person's family
    may be told of incidents (`alerts.consent`), so no decision is made for anybody.

    What stands in the register already stays as it is.
    """
    relatives: list[Relative] = []
    rows: list[dict[str, Any]] = []
    for index, home in enumerate(homes):
        person = home["person"]
        for place, one in enumerate(family_of(person["name"], index), 1):
            relatives.append(one)
            rows.append({
                "person_id": person["id"], "place": place, "name": one.name, "phone": one.number,
                "relation": one.relation, "language": one.language, "channels": list(one.channels),
            })  # fmt: skip
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.executemany(_SQL["add_contact"], rows)
    return relatives


class Telephones(Exchange):
    """The exchange with the families' telephones: they are read and picked up in a human time.

    A telephone that nobody of the demo has just rings. Whoever is told something newer does not
    answer what came before: by then somebody else may be going. Nor does whoever hears their own
    name: the hub knows that they go.
    """

    def __init__(
        self,
        secret: str,
        say: Callable[[str], None],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`say` is told what happens on the telephones, a line each; `pause` waits seconds."""
        super().__init__(secret)
        self._say = say
        self._pause = pause
        self._relatives: dict[str, Relative] = {}
        self._known = asyncio.Event()
        """Whose the telephones are; a hub that starts again may ring them before that."""
        self._newest: dict[str, str] = {}
        """By number: the id of what came last."""
        self._under_way: set[asyncio.Task[None]] = set()

    def belong_to(self, relatives: Sequence[Relative]) -> None:
        """From now on these people have them; until then whatever comes waits."""
        self._relatives = {_digits(one.number): one for one in relatives}
        self._known.set()

    def rings(self, about: Text | Call) -> None:
        """Somebody is told; what they do takes its time."""
        number = _digits(about.to)
        self._newest[number] = about.id
        task = asyncio.create_task(self._lived(about))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def hang_up(self) -> None:
        """Nobody answers any more."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _answers(self, about: Text | Call, manner: Manner) -> bool:
        """Whether they do, once they have made up their mind."""
        willing = manner is not Manner.ABSENT
        return willing and self._newest[_digits(about.to)] == about.id

    async def _lived(self, about: Text | Call) -> None:
        await self._known.wait()
        relative = self._relatives.get(_digits(about.to))
        who = str(relative or about.to)
        manner = relative.manner if relative else Manner.ABSENT
        text = about.text if isinstance(about, Text) else about.spoken
        going = relative is not None and relative.name in text
        if isinstance(about, Text):
            self._say(f"{who} (SMS): {text}")
            await self._reports(about, {"event": "status", "state": "delivered"})
            if not going:
                await self._reads(about, who, manner)
        else:
            self._say(f"{who} (call): {text}")
            await self._picks_up(about, who, manner, going=going)

    async def _reads(self, text: Text, who: str, manner: Manner) -> None:
        offered = _OFFERED.search(text.text)
        if offered is None:
            return
        await self._pause(_human_s(text))
        if not self._answers(text, manner):
            return
        self._say(f"{who} replied {offered[1]}")
        said = {"event": "inbound", "id": f"{text.id}-reply", "from": text.to, "text": offered[1]}
        await self._reports(text, said)

    async def _picks_up(self, call: Call, who: str, manner: Manner, *, going: bool) -> None:
        if manner is Manner.BUSY:
            await self._pause(BUSY_AFTER_S)
            self._say(f"{who} was on another call")
            await self._reports(call, {"event": "status", "state": "busy"})
            return
        await self._pause(RINGS_S if manner is Manner.ABSENT else _human_s(call))
        if not self._answers(call, manner):
            self._say(f"{who} did not pick up")
            await self._reports(call, {"event": "status", "state": "no_answer"})
            return
        await self._reports(call, {"event": "status", "state": "answered"})
        if call.digits and not going:
            self._say(f"{who} pressed {call.digits[0]}")
            await self._reports(call, {"event": "digits", "digits": call.digits[0]})
        await self._reports(call, {"event": "status", "state": "completed"})

    async def _reports(self, about: Text | Call, said: dict[str, Any]) -> None:
        """Again while the hub cannot record it, as the contract asks."""
        for _ in range(TRIES if about.callback_url else 0):
            with contextlib.suppress(httpx.HTTPError):
                if await self.tells(about, said) < httpx.codes.INTERNAL_SERVER_ERROR:
                    return
            await self._pause(AGAIN_AFTER_S)


def _human_s(about: Text | Call) -> float:
    return random.Random(about.id).uniform(*ANSWERS_AFTER_S)  # noqa: S311 - no secret


def _digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit())
