"""The nightly learning: stored history becomes a line, once, whatever interrupts it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from hub.detect.inactivity import LEARNING_DAYS
from hub.detect.inactivity_line import line_from
from hub.learning import Learned, Learning
from hub.register import Register
from hub.store.register import every_column
from schemas.ids import PremisesId
from schemas.vocabulary import MEASURE_BY_KEY
from tests.scenes import HandClock, settle_in

TODAY = date(2026, 3, 2)
NIGHT = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
"""Two in the morning of TODAY in China."""
DAYS = 40


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NIGHT)


@pytest.fixture
def home(database_url: str) -> str:
    """Bo's home with a motion sensor, forty days of a regular life."""
    settle_in(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO device (device_id, area_id, premises_id, kind, label, secret_sha256)"
            " VALUES ('eye-2', 'city', 'home-2', 'motion_sensor', 'kitchen', '00')"
        )
        rows = [row for day in range(1, DAYS + 1) for row in life(TODAY - timedelta(days=day))]
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO observation (observed_at, device_id, measure, message_key, area_id,"
                " state, quality, received_at, batch_id)"
                " VALUES (%s, 'eye-2', %s, 1, 'city', %s, 0, %s, 1)",
                rows,
            )
    return database_url


def life(day: date) -> Iterator[tuple[Any, ...]]:
    """From seven to ten something moves every few minutes; the sensor always speaks."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)
    motion, link = MEASURE_BY_KEY["motion"].code, MEASURE_BY_KEY["link_state"].code
    for minute in range(0, 24 * 60, 5):
        at = midnight + timedelta(minutes=minute)
        yield at, link, "online", at
        if 7 * 60 <= minute < 22 * 60:
            yield at, motion, "detected", at


async def no_pause(seconds: float) -> None:
    del seconds


def learning(url: str, clock: HandClock) -> Learning:
    return Learning(url, clock, pause=no_pause)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


async def test_a_home_with_enough_days_gets_its_line(home: str, clock: HandClock) -> None:
    done = await learning(home, clock).work()
    assert done.lines == 1
    (minutes, days), *others = rows(
        home, "SELECT minutes, days FROM inactivity_line ORDER BY days DESC"
    )
    assert all(not minutes for minutes, _ in others)
    assert days == DAYS - 1, "yesterday is not over: a silence may last through today"
    line = line_from(minutes)
    assert line is not None
    noon, evening = line.day_rooms_min[24], line.day_rooms_min[43]
    assert noon < 3 * 60 < 8 * 60 < evening, "short by day, a night long after the last movement"
    assert rows(home, "SELECT noun, id FROM context_change WHERE noun = 'inactivity_line'")


async def test_ingest_learns_of_the_line(home: str, clock: HandClock) -> None:
    await learning(home, clock).work()
    async with await psycopg.AsyncConnection.connect(home) as connection:
        known = Register()
        async for noun, columns in every_column(connection):
            known.fill(noun, columns)
    assert len(known.lines[PremisesId("home-2")]) == 98


async def test_the_next_night_reads_one_day_more_and_the_same_night_none(
    home: str, clock: HandClock
) -> None:
    await learning(home, clock).work()
    assert (await learning(home, clock).work()).homes == 0
    before = rows(home, "SELECT count(*) FROM inactivity_day WHERE premises_id = 'home-2'")
    clock.pass_time(86_400)
    await learning(home, clock).work()
    after = rows(home, "SELECT count(*) FROM inactivity_day WHERE premises_id = 'home-2'")
    assert after[0][0] == before[0][0] + 1 - 1, "the ninetieth day before went"


async def test_a_run_that_was_ended_goes_on_where_it_stopped(home: str, clock: HandClock) -> None:
    class Killed(Exception):
        pass

    def after_one(done: Learned) -> None:
        if done.homes == 1:
            raise Killed

    with pytest.raises(Killed):
        await learning(home, clock).work(told=after_one)
    rest = await learning(home, clock).work()
    looked_at = rows(home, "SELECT count(*) FROM inactivity_line")[0][0]
    assert rest.homes == looked_at - 1 > 0


async def test_one_learner_at_a_time(home: str, clock: HandClock) -> None:
    other: list[Learned] = []

    async def meanwhile(seconds: float) -> None:
        del seconds
        if not other:
            other.append(await learning(home, clock).work())

    done = await Learning(home, clock, pause=meanwhile).work()
    assert (done.homes > 1, other[0].homes) == (True, 0)


async def test_days_on_which_something_happened_are_not_learned(
    home: str, clock: HandClock
) -> None:
    at = datetime(2026, 2, 10, 4, 0, tzinfo=UTC)
    with psycopg.connect(home) as connection:
        for number, outcome in enumerate(("helped", "false_alarm")):
            connection.execute(
                "INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state,"
                " category, priority, kind, opened_at, last_alarm_at, alarm_count, premises_id,"
                " outcome, step, silent, revision) VALUES (%s, 'city', 'person', 'bo', 'resolved',"
                " 'personal', 'high', 'press', %s, %s, 1, 'home-2', %s, 0, false, 1)",
                (f"i-{number}", at + timedelta(days=number), at, outcome),
            )
        connection.execute(
            "INSERT INTO person_state_change (person_id, area_id, state, since) VALUES"
            " ('bo', 'city', 'hospital', '2026-02-15T00:00Z'),"
            " ('bo', 'city', 'home', '2026-02-18T00:00Z')"
        )
    await learning(home, clock).work()
    told = dict(rows(home, "SELECT day::text, reason FROM inactivity_day WHERE premises_id ="
                           " 'home-2' AND day >= '2026-02-09'"))  # fmt: skip
    assert told["2026-02-10"] == "incident"
    assert told["2026-02-11"] == "learned", "a false alarm is a day like any other"
    assert told["2026-02-16"] == told["2026-02-17"] == "not_at_home"
    assert told["2026-02-19"] == "learned"


async def test_fewer_days_are_still_learning(home: str, clock: HandClock) -> None:
    with psycopg.connect(home) as connection:
        cutoff = NIGHT - timedelta(days=LEARNING_DAYS - 5)
        connection.execute("DELETE FROM observation WHERE observed_at < %s", (cutoff,))
    assert (await learning(home, clock).work()).lines == 0
    (row,) = rows(home, "SELECT minutes, days FROM inactivity_line WHERE premises_id = 'home-2'")
    assert row[0] == []
    assert 0 < row[1] < LEARNING_DAYS


async def test_what_was_learned_goes_with_the_service(home: str, clock: HandClock) -> None:
    await learning(home, clock).work()
    with psycopg.connect(home) as connection:
        connection.execute("UPDATE person SET state = 'service_ended' WHERE person_id = 'bo'")
    clock.pass_time(86_400)
    await learning(home, clock).work()
    assert rows(home, "SELECT 1 FROM inactivity_line WHERE premises_id = 'home-2'") == []
    assert rows(home, "SELECT 1 FROM inactivity_day WHERE premises_id = 'home-2'") == []


def test_it_works_at_night_only(clock: HandClock) -> None:
    asked = Learning("", clock)
    assert asked.is_night()
    clock.pass_time(4 * 3600)
    assert not asked.is_night()
