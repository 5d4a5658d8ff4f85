"""Stories of a database that is away and nobody at the desk: the fallback contact is called from
memory, and the ladder afterwards goes on from there."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from alerts.actions import Verb
from alerts.errors import RateLimited, SendFailed
from alerts.fallback import Times
from alerts.messages import Message
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Sent
from hub.fallback_contacts import FallbackContacts, read_contacts
from hub.fallback_journal import Journal
from hub.fallback_voice import FallbackVoice
from hub.fallback_words import WordsFromMemory
from hub.store.rows import incident_of
from hub.store.told_from_memory import MemoryRecord
from tests.acceptance.town import Town, running_town
from tests.scenes import START, delivery

SECOND_HOTLINE = "https://second.example/hotline"
REACHABLE = frozenset({ChannelName.DESK, ChannelName.DEVICE, ChannelName.WEBHOOK})


@dataclass(slots=True)
class Hotline:
    """A second hotline: what it was told, and when; it can be out of order."""

    town: Town
    name: ChannelName = ChannelName.WEBHOOK
    told: list[tuple[float, str, str]] = field(default_factory=list)
    """Seconds since the start, kind of message, address."""
    texts: list[str] = field(default_factory=list)
    trouble: dict[str, Exception] = field(default_factory=dict)
    asked: int = 0
    references: set[str] = field(default_factory=set)

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        self.asked += 1
        if address in self.trouble:
            raise self.trouble[address]
        seconds = (self.town.clock.now() - START).total_seconds()
        self.told.append((seconds, notification.kind.value, address))
        self.texts.append(message.text)
        self.references.add(notification.reference)
        return Sent("taken")

    def rung_at(self) -> list[float]:
        return [at for at, kind, _ in self.told if kind == "ring"]


def a_voice(
    town: Town,
    folder: Path,
    hotline: Hotline | None = None,
    contacts: FallbackContacts | None = None,
) -> tuple[FallbackVoice, Hotline]:
    hotline = hotline or Hotline(town)
    voice = FallbackVoice(
        board=town.board,
        areas=town.register.areas,
        clock=town.clock,
        contacts=read_contacts("", SECOND_HOTLINE) if contacts is None else contacts,
        channels={ChannelName.WEBHOOK: hotline, ChannelName.SMS: hotline},
        words=WordsFromMemory(
            town.register, town.clock, service="Hub", hotline="12349", language="en",
            zone="Asia/Shanghai",
        ),
        times=Times(30, 60),
        tries=4,
        actions=town.lane.waiting_actions,
        away=lambda: town.line.away,
        ours=lambda _: True,
        journal=Journal(folder),
        recorder=MemoryRecord(town.line, REACHABLE),
    )  # fmt: skip
    return voice, hotline


async def wait(town: Town, voice: FallbackVoice, seconds: float) -> None:
    """Time passes in ingest; nothing climbs, the database being away."""
    until = town.clock.now() + timedelta(seconds=seconds)
    while town.clock.now() < until:
        town.clock.pass_time(1)
        town.lane.let_pass()
        await voice.look()
        await voice.settled()
        await voice.write_down()


async def back(town: Town, voice: FallbackVoice) -> None:
    """The database answers again: alarms, actions, then what was told from memory."""
    town.line.away = False
    await town.settled()
    await voice.look()
    await voice.settled()
    await voice.write_down()


def press(town: Town, number: int = 1) -> str:
    town.lane.on_message(
        delivery("button-1", message_id=str(number), observed_at=town.clock.now().isoformat(),
                 mid=number)
    )  # fmt: skip
    return next(iter(town.board.open))


async def sent(town: Town) -> list[tuple[str, str, str]]:
    """Notifications to the fallback contact: kind, state, why."""
    rows = await town.rows(
        "SELECT kind, state, reason FROM notification WHERE recipient = 'fallback'"
        " ORDER BY notification_id"
    )
    return [(row["kind"], row["state"], row["reason"]) for row in rows]


async def test_nobody_takes_it_so_the_second_hotline_is_called_once_a_rung(
    town: Town, tmp_path: Path
) -> None:
    voice, hotline = a_voice(town, tmp_path)
    town.line.away = True
    press(town)
    await wait(town, voice, 29)
    assert hotline.told == [], "the desks have half a minute"
    await wait(town, voice, 41)
    assert hotline.rung_at() == [30, 60]
    assert "Anna" in hotline.texts[0]
    assert "1 home-1 street" in hotline.texts[0]
    assert len(hotline.references) == 2, "each call has an idempotency key of its own"


async def test_afterwards_it_is_recorded_and_the_ladder_goes_on_from_there(
    town: Town, tmp_path: Path
) -> None:
    voice, _ = a_voice(town, tmp_path)
    town.line.away = True
    press(town)
    await wait(town, voice, 70)
    await back(town, voice)
    assert await sent(town) == [("ring", "sent", "from_memory")] * 2
    assert voice.unrecorded == 0
    incident = await town.incident()
    assert incident["step"] == 3, "the second call is the third step of the urgent ladder"
    assert (incident["next_deadline_at"] - START).total_seconds() == 60 + 60
    assert town.fallback.rung == [], "not once more by the ladder"
    await town.later(seconds=49)
    assert town.fallback.rung == []
    await town.later(seconds=60)
    first = town.fallback.rung[0]
    assert first >= START + timedelta(seconds=120), "later rungs ring it as ever, in their time"
    assert [a for a, _ in await town.log() if a == "told_from_memory"] == ["told_from_memory"] * 2


async def test_whoever_acknowledges_without_a_database_keeps_everybody_else_in_bed(
    town: Town, tmp_path: Path
) -> None:
    voice, hotline = a_voice(town, tmp_path)
    town.line.away = True
    incident_id = press(town)
    await wait(town, voice, 10)
    town.lane.on_message(town.click("mine-1", Verb.ACKNOWLEDGE, incident_id))
    await wait(town, voice, 60)
    assert hotline.told == []
    await back(town, voice)
    incident = await town.incident()
    assert (incident["state"], incident["owner_name"]) == ("acknowledged", "Lin")
    await town.later(minutes=5)
    assert town.fallback.rung == []
    assert await sent(town) == []


async def test_whoever_was_called_hears_who_has_it_and_that_it_is_over(
    town: Town, tmp_path: Path
) -> None:
    voice, hotline = a_voice(town, tmp_path)
    town.line.away = True
    incident_id = press(town)
    await wait(town, voice, 35)
    town.lane.on_message(town.click("mine-1", Verb.ACKNOWLEDGE, incident_id))
    await wait(town, voice, 60)
    assert [(kind, at) for at, kind, _ in hotline.told] == [("ring", 30), ("coming", 36)]
    assert "Lin" in hotline.texts[1]
    await back(town, voice)
    assert await sent(town) == [("ring", "sent", "from_memory"), ("coming", "sent", "from_memory")]
    await town.desk(Verb.RESOLVE, incident_id)
    assert [kind for _, kind in town.fallback.told] == ["over"], "by the outbox, as ever"


async def test_resolved_without_a_database_is_told_from_memory_too(
    town: Town, tmp_path: Path
) -> None:
    voice, hotline = a_voice(town, tmp_path)
    town.line.away = True
    incident_id = press(town)
    await wait(town, voice, 35)
    town.lane.on_message(town.click("mine-1", Verb.RESOLVE, incident_id))
    await wait(town, voice, 10)
    assert [kind for _, kind, _ in hotline.told] == ["ring", "over"]
    await back(town, voice)
    assert [kind for kind, _, _ in await sent(town)] == ["ring", "over"]
    assert town.fallback.told == [], "once"
    assert voice.unrecorded == 0


async def test_a_contact_that_fails_gives_way_to_the_next_of_the_area(
    town: Town, tmp_path: Path
) -> None:
    contacts = read_contacts(f"city={SECOND_HOTLINE},sms:13800138000", "")
    voice, hotline = a_voice(town, tmp_path, contacts=contacts)
    hotline.trouble[SECOND_HOTLINE] = SendFailed("HTTP 500")
    town.line.away = True
    press(town)
    await wait(town, voice, 55)
    assert [(kind, where) for _, kind, where in hotline.told] == [("ring", "13800138000")]
    assert hotline.asked == 5, "four tries, then the next"
    assert hotline.told[0][0] <= 30 + 2 + 4 + 8 + 4, "all within half a minute"
    await back(town, voice)
    (row,) = await town.rows("SELECT channel, state FROM notification WHERE reason = 'from_memory'")
    assert (row["channel"], row["state"]) == ("sms", "sent")


async def test_a_provider_that_is_busy_delays_and_loses_nothing(town: Town, tmp_path: Path) -> None:
    voice, hotline = a_voice(town, tmp_path)
    hotline.trouble[SECOND_HOTLINE] = RateLimited(5)
    town.line.away = True
    press(town)
    await wait(town, voice, 50)
    assert hotline.told == []
    hotline.trouble.clear()
    await wait(town, voice, 6)
    assert [kind for _, kind, _ in hotline.told] == ["ring"]


async def test_nobody_to_call_is_recorded_and_does_not_stop_the_ladder(
    town: Town, tmp_path: Path
) -> None:
    voice, _ = a_voice(town, tmp_path, contacts=FallbackContacts({}, ()))
    town.line.away = True
    press(town)
    await wait(town, voice, 70)
    await back(town, voice)
    assert await sent(town) == [("ring", "nobody", "from_memory")] * 2


async def test_a_restart_in_the_outage_neither_forgets_nor_calls_again_at_once(
    town: Town, tmp_path: Path
) -> None:
    voice, hotline = a_voice(town, tmp_path)
    town.line.away = True
    press(town)
    await wait(town, voice, 40)
    assert hotline.rung_at() == [30]
    again, _ = a_voice(town, tmp_path, hotline)
    assert again.unrecorded == 1
    await wait(town, again, 19)
    assert hotline.rung_at() == [30]
    await wait(town, again, 1)
    assert hotline.rung_at() == [30, 60], "at its time"
    await back(town, again)
    assert await sent(town) == [("ring", "sent", "from_memory")] * 2
    third, _ = a_voice(town, tmp_path, hotline)
    assert third.unrecorded == 0
    await third.write_down()
    assert len(await sent(town)) == 2


async def test_a_ladder_under_way_is_taken_over_where_it_stands(
    database_url: str, tmp_path: Path
) -> None:
    """Pressed, the desk rang, and then the database stopped."""
    async with running_town(database_url) as town:
        voice, hotline = a_voice(town, tmp_path)
        await town.press("button-1", "1")
        town.board.put(incident_of(await town.incident()))
        await voice.look()
        assert hotline.told == [], "the ladder climbs by itself"
        town.line.away = True
        await wait(town, voice, 31)
        assert hotline.rung_at() == [30]


async def test_a_test_press_wakes_no_second_hotline(town: Town, tmp_path: Path) -> None:
    voice, hotline = a_voice(town, tmp_path)
    town.line.away = True
    test = delivery("button-1", message_id="1", action="test", mid=70)
    town.lane.on_message(test)
    await wait(town, voice, 300)
    assert hotline.asked == 0
    town.line.away = False
    await town.settled()
